/** Adds a Secret's data and the journal entry of a write to the object that is sent (docs/audit.md). */
import {type ChainHead, formatHead} from '../../domain/journal/chain.js';
import {journalHeadAnnotation} from '../../domain/journal/head.js';
import type {KubeObject} from '../../domain/kube/object.js';
import type {PatchObject, PutObject} from '../action.js';

/** The object to send: with a Secret's data, and with the annotation if one is wanted and an entry was recorded. */
export function objectToSend(
  {object: planned, secretData, recordsJournalHead}: Pick<PutObject, 'object' | 'secretData' | 'recordsJournalHead'>,
  entry: ChainHead | undefined,
): KubeObject {
  const data = Object.entries(secretData ?? {}).map(
    ([key, value]) => [key, value.reveal().toString('base64')] as const,
  );
  const object = secretData ? {...planned, data: Object.fromEntries(data)} : planned;
  if (recordsJournalHead !== true || !entry) return object;
  const {metadata} = object;
  const annotations = {...metadata.annotations, [journalHeadAnnotation]: formatHead(entry)};
  return {...object, metadata: {...metadata, annotations}};
}

/** The same for a patch. A JSON patch must write the annotations as a whole, so that their result is known. */
export function patchToSend({recordsJournalHead, patch}: PatchObject, entry: ChainHead | undefined): object {
  if (recordsJournalHead !== true || !entry) return patch;
  const head = {[journalHeadAnnotation]: formatHead(entry)};
  if (Array.isArray(patch)) {
    return (patch as readonly {readonly path: string; readonly value?: object}[]).map((operation) =>
      operation.path === '/metadata/annotations' ? {...operation, value: {...operation.value, ...head}} : operation,
    );
  }
  const {metadata = {}} = patch as {readonly metadata?: {readonly annotations?: object}};
  return {...patch, metadata: {...metadata, annotations: {...metadata.annotations, ...head}}};
}

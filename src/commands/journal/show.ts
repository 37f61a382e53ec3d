import {Flags} from '@oclif/core';
import {example, MeshCommand} from '../../cli/base-command.js';
import {momentFlag} from '../../cli/flags/duration.js';
import {outputFlags} from '../../cli/flags/output.js';
import {clustersArg, workDirFlags} from '../../cli/flags/target.js';
import {changeStatuses} from '../../domain/journal/changes.js';
import {MeshError} from '../../domain/errors.js';
import {showJournal, type ShowResult} from '../../operations/journal/show.js';
import {journalShowView} from '../../output/views/journal-show.js';

export default class JournalShow extends MeshCommand {
  static override summary = 'List recorded changes: who changed what, and when';
  static override description = `Reads journal.jsonl in the work directory. Hash chains of several copies, shared through git, are merged by time. Prints one line for each change, newest last; a change whose run ended before it recorded an outcome is open, and unknown once the next run has closed it.

Problems with the file are reported as warnings, and all readable entries are printed; to check their integrity, use kubectl mesh journal verify. No cluster is accessed.`;
  static override examples = [
    example('List all changes'),
    example('List the changes to one cluster in the last 30 days', 'cluster1 --since 30d'),
    example(
      'Print failed and unknown pushes as JSON',
      `--command 'trust push' --status failed --status unknown -o json`,
    ),
  ];
  static override args = {
    cluster: {...clustersArg, description: 'list only changes to these clusters (default: all changes)'},
  };
  static override flags = {
    since: momentFlag({
      description: 'list only changes at or after this time: an RFC 3339 time, or an age such as 24h or 30d',
    }),
    until: momentFlag({description: 'list only changes before this time'}),
    command: Flags.string({
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'COMMAND',
      description:
        "list only changes by this command, such as 'trust push', or by a topic's commands, such as trust; may be repeated",
    }),
    status: Flags.option({options: changeStatuses, multiple: true, multipleNonGreedy: true})({
      helpValue: changeStatuses.join('|'),
      description: 'list only changes with this status; may be repeated',
    }),
    ...workDirFlags,
    ...outputFlags(['text', 'wide', 'json']),
  };

  async run(): Promise<ShowResult> {
    const {args, flags} = await this.parse(JournalShow);
    const {since, until} = flags;
    if (since !== undefined && until !== undefined && since >= until) {
      throw new MeshError('USAGE', 'invalid --since: must be before --until');
    }
    const request = {
      clusters: args.cluster ?? [],
      since,
      until,
      commands: (flags.command ?? []).map((command) => command.trim().replace(/\s+/g, ' ')),
      statuses: flags.status ?? [],
    };
    return this.perform(showJournal, request, journalShowView, flags);
  }
}

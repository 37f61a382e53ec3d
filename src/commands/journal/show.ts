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
  static override description = `Reads journal.jsonl in the work directory and prints one line for each change, newest last. If several copies of the work directory share the file through Git, their entries are merged by time.

A change is under-way while its run is in progress, and open if the run ended without recording an outcome. The next run that can make changes closes an open change as unknown.

Problems with the file are warnings, and all readable entries are printed. To check that the journal is intact, use journal verify. No cluster is accessed.`;
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
    until: momentFlag({description: 'list only changes before this time, in the same format'}),
    command: Flags.string({
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'COMMAND',
      description:
        "list only changes by this command, such as 'trust push', or by all commands of a topic, such as trust; may be repeated",
    }),
    status: Flags.option({options: changeStatuses, multiple: true, multipleNonGreedy: true})({
      helpValue: 'STATUS',
      description: `list only changes with this status (${changeStatuses.join(', ')}); may be repeated`,
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

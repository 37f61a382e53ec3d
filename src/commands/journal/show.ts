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
  static override summary = 'Show who changed what, and when';
  static override description = `Reads journal.jsonl of the work directory, whoever wrote it: the chains of several copies, shared through git, are merged by time. One line for each change, newest last; a change whose run ended before it could say what became of it is open, or unknown once the next run has closed it.

What is wrong with the file is said as a warning, and the rest is shown: kubectl mesh journal verify says what can be relied on. No cluster is asked.`;
  static override examples = [
    example('Everything'),
    example('What happened to one cluster this month', 'cluster1 --since 30d'),
    example(
      'Every push that did not end well, for a script',
      `--command 'trust push' --status failed --status unknown -o json`,
    ),
  ];
  static override args = {
    cluster: {...clustersArg, description: 'only changes of these clusters; none means all changes'},
  };
  static override flags = {
    since: momentFlag({description: 'only changes from this moment on'}),
    until: momentFlag({description: 'only changes before this moment'}),
    command: Flags.string({
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'COMMAND',
      description: "only changes by this command, such as 'trust push', or by all of a topic: trust; may be repeated",
    }),
    status: Flags.option({options: changeStatuses, multiple: true, multipleNonGreedy: true})({
      description: 'only changes that ended so; may be repeated',
    }),
    ...workDirFlags,
    ...outputFlags(['text', 'wide', 'json']),
  };

  async run(): Promise<ShowResult> {
    const {args, flags} = await this.parse(JournalShow);
    const {since, until} = flags;
    if (since !== undefined && until !== undefined && since >= until) {
      throw new MeshError('USAGE', '--since is not before --until: there is nothing between them');
    }
    const request = {
      clusters: args.cluster ?? [],
      since,
      until,
      commands: (flags.command ?? []).map((one) => one.trim().replace(/\s+/g, ' ')),
      statuses: flags.status ?? [],
    };
    return this.perform(showJournal, request, journalShowView, flags);
  }
}

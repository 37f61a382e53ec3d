import {MeshCommand} from '../../cli/base-command.js';
import {outputFlags} from '../../cli/flags/output.js';
import {clustersArg, workDirFlags} from '../../cli/flags/target.js';
import {listCerts, type ListResult} from '../../operations/certs/list.js';
import {certsListView} from '../../output/views/certs-list.js';

export default class CertsList extends MeshCommand {
  static override summary = 'List every certificate of the mesh, and what ends first';
  static override description = `Reads the work directory only, and no keys: it works on a git checkout and in CI.

STATE follows trust.expiry of mesh.yaml: by default a warning below 30 % of the lifetime or 30 days, an error below 10 % or 7 days. The first outage is the earliest end of a CA in use.`;
  static override examples = [
    {description: 'Everything', command: '<%= config.bin %> <%= command.id %>'},
    {
      description: 'The day of the first outage, for a script',
      command: '<%= config.bin %> <%= command.id %> -o json | jq -r .firstOutage.notAfter',
    },
  ];
  static override args = {cluster: clustersArg};
  static override flags = {...outputFlags(['text', 'wide', 'name', 'json']), ...workDirFlags};

  async run(): Promise<ListResult> {
    const {args, flags} = await this.parse(CertsList);
    return this.perform(listCerts, {clusters: args.cluster ?? []}, certsListView, flags);
  }
}

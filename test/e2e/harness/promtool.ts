/** Prometheus' own checker: what it says of our metrics and rules, and which alerts fire on series that were really scraped. */
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {stringify} from 'yaml';
import {peerTool} from '../../helpers/peer-tools.js';
import {run, type Ran} from './processes.js';

/** One scrape of a target in the text format, with the labels that Prometheus adds to its series. */
export interface Scrape {
  readonly text: string;
  readonly labels: Readonly<Record<string, string>>;
  /** When it was scraped. */
  readonly at: Date;
}

/** What was scraped from a minute on, until the next. */
export interface Moment {
  readonly minute: number;
  readonly scrapes: readonly Scrape[];
}

/** Alerts that must fire at a minute: exactly these, each by its name and labels. */
export interface Expectation {
  readonly name: string;
  readonly moments: readonly Moment[];
  readonly minute: number;
  readonly firing: readonly Readonly<Record<string, string>>[];
}

/** `promtool check metrics`, which reads a page from standard input. */
export function checkMetrics(path: string): Promise<Ran> {
  return run('bash', ['-c', '"$1" check metrics <"$2"', '-', peerTool('promtool'), path]);
}

/** `promtool check rules` */
export function checkRules(path: string): Promise<Ran> {
  return run(peerTool('promtool'), ['check', 'rules', path]);
}

/** Labels that tell alerts apart in expectations. */
const shownLabels = ['alertname', 'cluster', 'exported_cluster', 'role', 'error', 'status', 'source'] as const;

/** `promtool test rules`. Its clock begins at 1970, so moments are moved there; everything else is as it was scraped. */
export async function testRules(directory: string, ruleFile: string, tests: readonly Expectation[]): Promise<Ran> {
  const file = join(directory, 'rules.test.yaml');
  const document = {
    rule_files: [ruleFile],
    evaluation_interval: '1m',
    tests: tests.map(({name, moments, minute, firing}) => ({
      name,
      interval: '1m',
      input_series: inputSeries(moments, minute),
      promql_expr_test: [
        {
          expr: `count by (${shownLabels.join(', ')}) (ALERTS{alertstate="firing"})`,
          eval_time: `${String(minute)}m`,
          exp_samples: firing.map((labels) => ({labels: labelText(labels), value: 1})),
        },
      ],
    })),
  };
  writeFileSync(file, stringify(document, {lineWidth: 0}));
  return run(peerTool('promtool'), ['test', 'rules', file]);
}

function inputSeries(moments: readonly Moment[], end: number): readonly {series: string; values: string}[] {
  const series = new Map<string, string[]>();
  moments.forEach(({minute, scrapes}, index) => {
    const until = moments[index + 1]?.minute ?? end + 1;
    for (const scrape of scrapes) {
      for (const [name, value] of samplesOf(scrape, end)) {
        const values = series.get(name) ?? [];
        while (values.length < minute) values.push('_');
        while (values.length < until) values.push(value);
        series.set(name, values);
      }
    }
  });
  return [...series].map(([name, values]) => ({series: name, values: values.join(' ')}));
}

/** Families that a rule asks for; histograms and Go's own are none of them. */
const relevant = /^(?:kubectl_mesh_|citadel_server_|istio_build|istiod_|remote_cluster_)/;

function samplesOf({text, labels, at}: Scrape, end: number): readonly (readonly [string, string])[] {
  // The end of the test is when it was scraped.
  const shift = Math.floor(at.getTime() / 1000) - end * 60;
  return text.split('\n').flatMap((line): readonly (readonly [string, string])[] => {
    const [, name, own = '', value] = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
    if (name === undefined || value === undefined || !relevant.test(name)) return [];
    const moved = /_timestamp(?:_seconds)?$/.test(name) ? String(Number(value) - shift) : String(Number(value));
    return [[`${name}${attached(own, labels)}`, moved]];
  });
}

/** As Prometheus does without honor_labels: the target's labels stay, the metric's own of that name becomes exported_. */
function attached(own: string, target: Readonly<Record<string, string>>): string {
  const kept = Object.keys(target).reduce(
    (text, name) => text.replace(new RegExp(`(^|,)${name}=`), `$1exported_${name}=`),
    own,
  );
  return `{${[...Object.entries(target).map(([name, value]) => `${name}="${value}"`), ...(kept === '' ? [] : [kept])].join(',')}}`;
}

function labelText(labels: Readonly<Record<string, string>>): string {
  return `{${Object.entries(labels)
    .map(([name, value]) => `${name}="${value}"`)
    .join(', ')}}`;
}

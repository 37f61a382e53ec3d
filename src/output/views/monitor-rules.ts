import type {MonitorRulesResult} from '../../operations/monitor/rules.js';
import type {View} from '../view.js';

/** `monitor rules`: YAML to apply or save. */
export const monitorRulesView: View<MonitorRulesResult> = {
  text: ({yaml}) => yaml.trimEnd(),
  name: ({alerts}) => alerts.map(({alert}) => alert).join('\n'),
};

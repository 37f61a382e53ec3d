/** When a CronJob must run `link`, so that tokens are renewed long before they expire. */

const hourMs = 3_600_000;

/** The intervals of the schedules, in ascending order. Minute 17: most schedules start at the full hour. */
const schedules = [
  {everyMs: hourMs, cron: '17 * * * *'},
  {everyMs: 2 * hourMs, cron: '17 */2 * * *'},
  {everyMs: 6 * hourMs, cron: '17 */6 * * *'},
  {everyMs: 12 * hourMs, cron: '17 3,15 * * *'},
  {everyMs: 24 * hourMs, cron: '17 3 * * *'},
  {everyMs: 7 * 24 * hourMs, cron: '17 3 * * 1'},
] as const;

/**
 * How many runs fall between the time from which `link` renews a token and its expiry: two may fail, such as those of one
 * outage and the next. A choice of this program.
 */
const runsBeforeExpiry = 3;

/**
 * Returns the schedule for tokens of this lifetime, in the syntax of a CronJob (kubernetes.io:
 * concepts/workloads/controllers/cron-jobs, "Schedule syntax"). `renewFrom` is the share of the lifetime that is left when `link`
 * starts to renew. Undefined if even an hourly run could come too late.
 */
export function renewalSchedule(lifetimeMs: number, renewFrom: number): string | undefined {
  const longest = (lifetimeMs * renewFrom) / runsBeforeExpiry;
  return schedules.findLast(({everyMs}) => everyMs <= longest)?.cron;
}

/** A question for each fact; asked only where a selected check needs it. */
export type Questions<Values> = {readonly [Key in keyof Values]: () => Promise<Values[Key]>};

/**
 * Writes a result to standard output and waits until it is out: a process that exits before a slow pipe was read would
 * cut the answer. A reader that has gone away (`| head`) is not an error.
 */
export async function writeOut(text: string): Promise<void> {
  await new Promise<void>((resolve) => {
    process.stdout.write(text.endsWith('\n') ? text : `${text}\n`, () => {
      resolve();
    });
  });
}

/** Whether a stream is shown with colour: a terminal, unless NO_COLOR (no-color.org) says otherwise. */
export function hasColor(stream: NodeJS.WriteStream): boolean {
  return stream.isTTY && (process.env.NO_COLOR ?? '') === '';
}

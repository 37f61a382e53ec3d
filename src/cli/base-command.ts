/** What every command shares: parse, perform, print, exit code, errors. The only code that knows exit codes and streams. */
import {defined} from '../domain/defined.js';
import {resolve} from 'node:path';
import {Command, Errors} from '@oclif/core';
import {asMeshError, MeshError} from '../domain/errors.js';
import {answerOf} from '../engine/report.js';
import {execute} from '../engine/engine.js';
import type {Operation} from '../engine/operation.js';
import type {Printed, View} from '../output/view.js';
import type {Workspace} from '../workspace/workspace.js';
import {normalizeArgv, wantsJson} from './argv.js';
import {createDeps, type CommonFlags} from './deps.js';
import {exitCode} from './exit-code.js';
import {errorAsJson, errorAsText, schemaVersion} from './show-error.js';
import {createAbort} from './signals.js';
import {hasColor, writeOut} from './streams.js';
import {printError, printResult} from './suggest/print.js';
import {renderSuggestion} from './suggest/render.js';
import {typedTarget} from './suggest/typed-target.js';

/** An example of a command's help: what for, and the words after the command's own. */
export function example(description: string, words = ''): {readonly description: string; readonly command: string} {
  return {description, command: `<%= config.bin %> <%= command.id %> ${words}`.trimEnd()};
}

/** The base of every command. */
export abstract class MeshCommand extends Command {
  constructor(argv: string[], config: Command['config']) {
    super(normalizeArgv(argv), config);
  }

  /**
   * Runs an operation and prints its result with the view that `-o` names. Ends the process with the exit code that the
   * operation concludes.
   */
  protected async perform<Request, Result extends object>(
    operation: Operation<Request, Result>,
    request: Request,
    view: View<Result, Request>,
    flags: CommonFlags,
  ): Promise<Result> {
    const abort = createAbort(flags.timeout);
    try {
      const {deps, settings, report, close} = await createDeps(flags, abort.signal);
      let result: Result;
      try {
        result = await execute(operation, request, {deps, settings, report});
      } finally {
        await close();
      }
      const answer = answerOf(result, settings);
      const printed = printResult(answer, typedTarget(flags));
      await this.print(this.render(printed, request, view, flags), flags, deps.workspace);
      const code = exitCode(operation.conclude(result, request));
      if (code !== 0) this.exit(code);
      return answer;
    } catch (thrown) {
      if (thrown instanceof Errors.ExitError) throw thrown;
      // What an abort breaks off reports all kinds of errors; the abort is what happened.
      throw printError(asMeshError(abort.signal.aborted ? abort.signal.reason : thrown), typedTarget(flags));
    } finally {
      abort.dispose();
    }
  }

  /** Prints what an error means and exits with its code. */
  protected override async catch(thrown: Error): Promise<never> {
    if (thrown instanceof Errors.ExitError) throw thrown;
    return showAndExit(thrown, this.argv, `${this.id?.replaceAll(':', ' ') ?? ''} --help`);
  }

  private async print(text: string, flags: CommonFlags, workspace: Workspace): Promise<void> {
    const file = flags['output-file'];
    if (file !== undefined && file !== '-') {
      await workspace.writeOutside(resolve(file), text === '' || text.endsWith('\n') ? text : `${text}\n`);
    } else if (text !== '') {
      await writeOut(text);
    }
  }

  private render<Request, Result extends object>(
    result: Printed<Result> & object,
    request: Request,
    view: View<Result, Request>,
    flags: CommonFlags,
  ): string {
    const format = flags.json === true ? 'json' : (flags.output ?? 'text');
    if (format === 'json') return JSON.stringify(Object.assign({schemaVersion}, result), undefined, 2);
    const render = view[format as keyof View<Result, Request>];
    if (!render) throw new MeshError('INTERNAL', `The view of ${this.id ?? 'this command'} has no ${format}`);
    const isTerminal = process.stdout.isTTY && flags['output-file'] === undefined;
    return render(
      result,
      defined({
        request,
        width: isTerminal ? process.stdout.columns : undefined,
        color: isTerminal && hasColor(process.stdout),
        verbose: flags.verbose,
        now: new Date(),
        command: (suggestion) => renderSuggestion(suggestion, typedTarget(flags)),
      }),
    );
  }
}

/** Shows any error as the command line asked for, and ends with its exit code (as oclif's ExitError, which tests see). */
export async function showAndExit(thrown: unknown, argv: readonly string[], help = '--help'): Promise<never> {
  const error = printError(fromOclif(thrown, help), {});
  if (wantsJson(argv) && error.code !== 'OUTPUT_FAILED') await writeOut(errorAsJson(error));
  else process.stderr.write(`${errorAsText(error, hasColor(process.stderr))}\n`);
  throw new Errors.ExitError(exitCode([error.code]));
}

/**
 * oclif's message without its reference to --help, its advice on flags that take several values; a flag that would not be
 * parsed is named in front of its words, once.
 */
function withoutNotes(message: string): string {
  return message
    .replace(/^Parsing (--\S+) \n\t(?!\1 )/, '$1: ')
    .replace(/^Parsing --\S+ \n\t/, '')
    .replace(/\nSee more help with --help$/, '')
    .replace(/\n\nNote: --[^]*$/, '');
}

/** oclif's own errors are all about the command line; everything else is ours or a bug. */
function fromOclif(thrown: unknown, help: string): MeshError {
  // A flag of ours that would not be parsed: oclif writes into its message.
  if (thrown instanceof MeshError && thrown.code === 'USAGE') thrown.message = withoutNotes(thrown.message);
  if (thrown instanceof MeshError || !(thrown instanceof Errors.CLIError)) return asMeshError(thrown);
  return new MeshError('USAGE', withoutNotes(thrown.message), {
    // eslint-disable-next-line no-restricted-syntax -- help is the same for every mesh: it needs no flags
    hints: [`See what it takes: kubectl mesh ${help}`],
    cause: thrown,
  });
}

/** What all commands share: parsing, running an operation, printing its result or error, and the exit code. */
import {defined} from '../domain/defined.js';
import {resolve} from 'node:path';
import {Command, Errors} from '@oclif/core';
import {asMeshError, MeshError} from '../domain/errors.js';
import {printableJson} from '../domain/printable.js';
import {advice, kubectlMesh} from '../domain/suggest/suggestion.js';
import {answerOf} from '../engine/report.js';
import {execute} from '../engine/engine.js';
import type {Operation} from '../engine/operation.js';
import {unprintedErrors} from '../output/unprinted-errors.js';
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
import {supervisorProgram} from './supervisor-program.js';
import {usageError} from './usage-error.js';

/** An example in a command's help: its title, and the arguments after the command's name. */
export function example(description: string, words = ''): {readonly description: string; readonly command: string} {
  return {description, command: `<%= config.bin %> <%= command.id %> ${words}`.trimEnd()};
}

/** The base of every command. */
export abstract class MeshCommand extends Command {
  /** Arguments, required flags and `[flags]`, as in kubectl. oclif's own list shows independent flags as alternatives. */
  static override get usage(): string {
    const args = Object.entries(this.args).map(([name, {multiple = false, required = false}]) => {
      const word = `${name.toUpperCase()}${multiple ? '...' : ''}`;
      return required ? word : `[${word}]`;
    });
    const required = Object.entries(this.flags)
      .filter(([, flag]) => flag.required)
      .map(([name, flag]) => (flag.type === 'option' ? `--${name} ${String(flag.helpValue)}` : `--${name}`));
    return [...args, ...required, '[flags]'].join(' ');
  }

  constructor(argv: string[], config: Command['config']) {
    super(normalizeArgv(argv), config);
  }

  /**
   * Runs an operation and prints its result with the view that `-o` names. Exits with the code of the operation's
   * conclusions.
   */
  protected async perform<Request, Result extends object>(
    operation: Operation<Request, Result>,
    request: Request,
    view: View<Result, Request>,
    flags: CommonFlags,
  ): Promise<Result> {
    const abort = createAbort(flags.timeout);
    let changes: Changes;
    try {
      const supervisor = supervisorProgram(this.config.root);
      const {deps, settings, report, close} = await createDeps(flags, abort.signal, supervisor);
      if (operation.changes && settings.dryRun === 'none') changes = 'none';
      let result: Result;
      try {
        result = await execute(operation, request, {
          deps,
          settings,
          report(event) {
            if (changes && event.type === 'group-started') changes = 'some';
            report(event);
          },
        });
      } finally {
        await close();
      }
      const answer = answerOf(result, settings);
      const printed = printResult(answer, typedTarget(flags));
      await this.print(this.render(printed, request, view, flags), flags, deps.workspace);
      for (const line of unprintedErrors(printed, view, formatOf(flags))) process.stderr.write(`${line}\n`);
      const code = exitCode(operation.conclude(result, request));
      if (code !== 0) this.exit(code);
      return answer;
    } catch (thrown) {
      if (thrown instanceof Errors.ExitError) throw thrown;
      // Aborted work fails with any kind of error: report the abort instead.
      const error = abort.signal.aborted ? abortError(abort.signal.reason, changes) : asMeshError(thrown);
      throw printError(error, typedTarget(flags));
    } finally {
      abort.dispose();
    }
  }

  /** Prints an error and exits with its code. */
  protected override async catch(thrown: Error): Promise<never> {
    if (thrown instanceof Errors.ExitError) throw thrown;
    const command = {words: this.id?.replaceAll(':', ' ') ?? '', flags: Object.keys(this.ctor.flags)};
    return showAndExit(usageError(thrown, command), this.argv);
  }

  private async print(text: string, flags: CommonFlags, workspace: Workspace): Promise<void> {
    const file = flags['output-file'];
    if (file !== undefined && file !== '-') {
      await workspace.writeOutside(resolve(file), text === '' || text.endsWith('\n') ? text : `${text}\n`);
    } else if (flags.journal === '-') {
      // Standard output is the journal: one entry per line.
      process.stderr.write(text.endsWith('\n') ? text : `${text}\n`);
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
    const format = formatOf(flags);
    if (format === 'json') return printableJson(Object.assign({schemaVersion}, result));
    const render = view[format as Exclude<keyof View<Result, Request>, 'problems'>];
    if (!render) throw new MeshError('INTERNAL', `the view of ${this.id ?? 'this command'} has no format ${format}`);
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

/** What a run has changed; undefined for a command or dry run that changes nothing. */
type Changes = 'none' | 'some' | undefined;

/** Why a run was aborted, and what it has changed. */
function abortError(reason: unknown, changes: Changes): MeshError {
  const error = asMeshError(reason);
  if (changes === undefined) return error;
  const {code, message, hints} = error;
  const state =
    changes === 'none'
      ? 'nothing was changed'
      : advice`some changes may have been made; to list them, run: ${kubectlMesh('journal show')}`;
  return new MeshError(code, message, {hints: [state, ...hints], cause: reason});
}

function formatOf({json, output = 'text'}: CommonFlags): string {
  return json === true ? 'json' : output;
}

/** Prints an error as text or JSON, as the arguments require, and throws oclif's ExitError with its exit code. */
export async function showAndExit(thrown: unknown, argv: readonly string[]): Promise<never> {
  const error = printError(asMeshError(thrown), {});
  if (wantsJson(argv) && error.code !== 'OUTPUT_FAILED') await writeOut(errorAsJson(error));
  else process.stderr.write(`${errorAsText(error, hasColor(process.stderr))}\n`);
  throw new Errors.ExitError(exitCode([error.code]));
}

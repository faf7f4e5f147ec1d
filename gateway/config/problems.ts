// Collecting Problems and printing them as their reader meets them.
// The danger it guards against: a reader who mends one mistake only to be told of the next.
import { hideKeys } from '../message/hideKeys.ts'
import type { Position, Problem } from '../model.ts'

/** Where everything that reads the file reports. */
export interface Findings {
  error(at: Position, message: string): void
  warn(at: Position, message: string): void
  /** In the order of the file, each once. */
  list(): readonly Problem[]
}

export function createFindings(): Findings {
  const found = new Map<string, Problem>()
  const add = (severity: Problem['severity'], { line, column }: Position, words: string) => {
    const message = hideKeys(words)
    found.set(`${line}:${column}:${severity}:${message}`, Object.freeze({ severity, line, column, message }))
  }
  return {
    error: (at, message) => add('error', at, message),
    warn: (at, message) => add('warning', at, message),
    list: () => [...found.values()].sort((a, b) => a.line - b.line || a.column - b.column),
  }
}

export function hasErrors(problems: readonly Problem[]): boolean {
  return problems.some(({ severity }) => severity === 'error')
}

/** One line per Problem, `routes.yaml:4:5   unknown key …`, messages aligned; no newline at the end. */
export function formatProblems(file: string, problems: readonly Problem[]): string {
  const places = problems.map(({ line, column }) => `${file}:${line}:${column}`)
  const width = Math.max(0, ...places.map(({ length }) => length)) + 2
  return problems
    .map(
      ({ severity, message }, i) =>
        `${(places[i] ?? '').padEnd(width)}${severity === 'warning' ? 'warning: ' : ''}${message}`,
    )
    .join('\n')
}

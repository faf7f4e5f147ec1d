// The text of routes.yaml as plain values, each with its line and column.
// The danger it guards against: a mistake that cannot be pointed at.
import { Composer, type CST, type Document, Lexer, LineCounter, Parser, YAMLParseError } from 'yaml'
import type { Position } from '../model.ts'
import type { Environment } from './environment.ts'
import { parentOf } from './pointer.ts'
import type { Findings } from './problems.ts'
import { atOnce, type Steps } from './steps.ts'
import { reportSyntax, reportText } from './syntax.ts'
import { type Mark, Unfolding } from './unfold.ts'

/** What the file says. Places are JSON pointers (RFC 6901): `/routes/0/match/path`. */
export interface Written {
  readonly value: unknown
  /** Whether the file itself says something there; defaults do not count. */
  has(pointer: string): boolean
  /** Of the value at that pointer; when the file has none there, of the nearest mapping or list around it. */
  positionOf(pointer: string): Position
  /** Of the key at that pointer, or of the nearest one around it. */
  keyPositionOf(pointer: string): Position
  /** The scalar as the file writes it, references unresolved; undefined when it is none. */
  wordsAt(pointer: string): string | undefined
  /** Pointers of values whose references or aliases have nothing to stand for: already reported, and not worth checking. */
  readonly unresolved: ReadonlySet<string>
  /** A message without the values that came from the environment. */
  scrub(message: string): string
}

/** A few milliseconds' worth. */
const lexemesPerStep = 2_000

/** @returns undefined when its mistakes, all in `findings`, leave nothing to go on with */
export function readDocument(text: string, env: Environment, findings: Findings): Written | undefined {
  return atOnce(documentSteps(text, env, findings))
}

export function* documentSteps(text: string, env: Environment, findings: Findings): Steps<Written | undefined> {
  // Without its byte order mark, which would move the columns of the first line.
  const content = text.startsWith('\uFEFF') ? text.slice(1) : text
  if (reportText(content, findings)) return undefined
  const lines = new LineCounter()
  const at = (offset: number): Position => {
    const { line, col } = lines.linePos(offset)
    return { line, column: col }
  }
  const document = yield* parse(content, lines, findings)
  if (!document || reportSyntax({ content, document, at, findings })) return undefined
  yield
  const unfolding = new Unfolding({ at, env, findings })
  const value = unfolding.valueOf(document.contents, '')
  return writtenOf(value, unfolding)
}

function* parse(content: string, lines: LineCounter, findings: Findings): Steps<Document.Parsed | undefined> {
  try {
    const tokens = yield* tokenize(content, lines)
    yield
    return compose(tokens, content)
  } catch (thrown) {
    if (!(thrown instanceof RangeError)) throw thrown
    findings.error({ line: 1, column: 1 }, 'the file is nested too deeply to be read; flatten it')
    return undefined
  }
}

/** The library's `parseDocument` does the same without a pause, and takes longer over it than all that comes after. */
function* tokenize(content: string, lines: LineCounter): Steps<CST.Token[]> {
  const parser = new Parser(lines.addNewLine)
  const tokens: CST.Token[] = []
  let lexemes = 0
  lines.addNewLine(0)
  for (const lexeme of new Lexer().lex(content)) {
    tokens.push(...parser.next(lexeme))
    if (++lexemes % lexemesPerStep === 0) yield
  }
  tokens.push(...parser.end())
  return tokens
}

function compose(tokens: readonly CST.Token[], content: string): Document.Parsed | undefined {
  // Keys that are written twice are found in unfold.ts: the library compares each key with every other one.
  const composer = new Composer({ schema: 'core', prettyErrors: false, uniqueKeys: false, logLevel: 'error' })
  const [document, another] = composer.compose(tokens, true, content.length)
  if (document && another) {
    document.errors.push(new YAMLParseError([another.range[0], another.range[1]], 'MULTIPLE_DOCS', ''))
  }
  return document
}

function writtenOf(value: unknown, { marks, unresolved, substitution }: Unfolding): Written {
  const markOf = (pointer: string): Mark =>
    marks.get(pointer) ?? (pointer === '' ? wholeFile : markOf(parentOf(pointer)))
  return {
    value,
    has: (pointer) => marks.has(pointer),
    positionOf: (pointer) => markOf(pointer).value,
    keyPositionOf: (pointer) => markOf(pointer).key,
    wordsAt: (pointer) => marks.get(pointer)?.words,
    unresolved,
    scrub: substitution.scrub,
  }
}

const wholeFile: Mark = { key: { line: 1, column: 1 }, value: { line: 1, column: 1 } }

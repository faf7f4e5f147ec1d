// Mistakes below the level of keys: text that is none, and broken YAML, in sentences for people who do not know YAML's
// own words. The danger it guards against: a file that is half read because its first half happens to be valid.
import type { Document } from 'yaml'
import type { Position } from '../model.ts'
import type { Findings } from './problems.ts'

/** More would keep the gateway from its requests for seconds while it is parsed. */
const mostCharacters = 2 * 1024 * 1024

const sentences: Readonly<Record<string, string>> = {
  TAB_AS_INDENT: 'a tab indents this line; YAML takes spaces only',
  BAD_INDENT:
    'this does not stand under what it belongs to, or a bracket is not closed; check indentation and brackets',
  BAD_SCALAR_START: 'a value cannot begin with this character; put the value in quotes',
  BLOCK_AS_IMPLICIT_KEY:
    'there is a second ":" in this line, or the next one is indented too far; put the value in quotes or mend the indentation',
  MULTILINE_IMPLICIT_KEY:
    'a key and its ":" must stand in one line; check the indentation and whether a ":" is missing',
  MULTIPLE_DOCS: 'a second document begins here; remove this "---" and keep one',
  MISSING_CHAR: 'a closing quote, bracket, comma or ":" is missing',
  UNEXPECTED_TOKEN: 'this cannot stand here; a quote, bracket, comma or the indentation is wrong',
  BAD_ALIAS: 'an alias needs a name, as in "*name"; put the value in quotes when it is none',
  BAD_DQ_ESCAPE: 'this escape is unknown inside double quotes; write "\\\\" for a backslash or use single quotes',
  TAG_RESOLVE_FAILED: 'tags are unknown here; remove the word that begins with "!"',
}

/** Text that is not worth parsing. @returns whether there was a mistake */
export function reportText(content: string, findings: Findings): boolean {
  const start = { line: 1, column: 1 }
  const problem = (at: Position, message: string) => {
    findings.error(at, message)
    return true
  }
  if (content.trim() === '') return problem(start, 'the file is empty; it needs at least "upstreams" and "unmatched"')
  if (content.length > mostCharacters) {
    return problem(start, `the file has more than ${mostCharacters / 1024 / 1024} MiB; write fewer or wider routes`)
  }
  const odd = /[\0\uFFFD]/.exec(content)
  return odd !== null && problem(placeOf(content, odd.index), 'this is no UTF-8 text; save the file as UTF-8')
}

interface Parsed {
  readonly content: string
  readonly document: Document.Parsed
  readonly at: (offset: number) => Position
  readonly findings: Findings
}

/** Of each line its first mistake: the others follow from it. @returns whether there was one */
export function reportSyntax({ content, document, at, findings }: Parsed): boolean {
  const lines = new Set<number>()
  for (const { code, message, pos } of [...document.errors, ...document.warnings]) {
    const position = at(pos[0])
    if (!lines.has(position.line)) findings.error(position, sentenceOf(code, message, lineAt(content, pos[0])))
    lines.add(position.line)
  }
  if (lines.size === 0 && document.contents === null) {
    findings.error({ line: 1, column: 1 }, 'the file has comments only; it needs at least "upstreams" and "unmatched"')
    return true
  }
  return lines.size > 0
}

function sentenceOf(code: string, message: string, line: string): string {
  // YAML takes the brace of a reference for a mapping inside { … } and [ … ].
  if (code === 'UNEXPECTED_TOKEN' && /[{[,].*\$\{/.test(line)) {
    return `inside { … } or [ … ] a reference must be in quotes, as in "$\{NAME}"; a number needs a line of its own`
  }
  return sentences[code] ?? `${message}; this is not valid YAML`
}

function lineAt(content: string, offset: number): string {
  const end = content.indexOf('\n', offset)
  return content.slice(content.lastIndexOf('\n', offset - 1) + 1, end < 0 ? undefined : end)
}

function placeOf(content: string, offset: number): Position {
  const before = content.slice(0, offset).split('\n')
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 }
}

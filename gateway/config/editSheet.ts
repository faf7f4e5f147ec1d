// routes.yaml as an edit needs it: its nodes with their places in the text, and what they come to.
// The danger it guards against: an edit that takes the file for something else than the gateway does, so its values are
// unfolded by the same code (references stay as they are written).
import { LineCounter, type ParsedNode, parseDocument } from 'yaml'
import type { Position } from '../model.ts'
import { createFindings } from './problems.ts'
import { reportSyntax, reportText } from './syntax.ts'
import { Unfolding } from './unfold.ts'

export interface Sheet {
  readonly text: string
  readonly root: ParsedNode | null
  /** Aliases unfolded, merge keys merged; its own copy, with nothing in it twice. */
  readonly value: unknown
  /** 1-based. */
  lineOf(offset: number): number
}

/** Why there is no edit. `remedy` is what to do instead, where that is not the same edit by hand. */
export class Refusal extends Error {
  readonly remedy: string | undefined

  constructor(message: string, remedy?: string) {
    super(message)
    this.remedy = remedy
  }
}

/** @param text without byte order mark */
export function readSheet(text: string): Sheet | { readonly mistake: string } {
  const findings = createFindings()
  const lines = new LineCounter()
  const at = (offset: number): Position => {
    const { line, col } = lines.linePos(offset)
    return { line, column: col }
  }
  const document = reportText(text, findings) ? undefined : parse(text, lines)
  if (!document || reportSyntax({ content: text, document, at, findings })) {
    const [{ line, message } = tooDeep] = findings.list()
    return { mistake: `line ${line}: ${message}` }
  }
  const unfolding = new Unfolding({ at, env: {}, findings })
  const value = unfolding.valueOf(document.contents, '')
  return { text, root: document.contents, value, lineOf: (offset) => at(offset).line }
}

const tooDeep = { line: 1, message: 'the file is nested too deeply to be read' }

/** With the options of document.ts. */
function parse(text: string, lineCounter: LineCounter) {
  try {
    return parseDocument(text, {
      schema: 'core',
      prettyErrors: false,
      uniqueKeys: false,
      logLevel: 'error',
      lineCounter,
    })
  } catch (thrown) {
    if (thrown instanceof RangeError) return undefined
    throw thrown
  }
}

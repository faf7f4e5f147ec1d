// routes.yaml as an edit needs it: its nodes with their places in the text, and what they come to.
// The danger it guards against: an edit that takes the file for something else than the gateway does, so its values are
// unfolded by the same code (references stay as they are written).
import { LineCounter, type ParsedNode, parseDocument } from 'yaml'
import type { Position } from '../model.ts'
import { createFindings, type Findings } from './problems.ts'
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
  if (reportText(text, findings)) return firstOf(findings)
  // With the options of document.ts.
  const options = { schema: 'core', prettyErrors: false, uniqueKeys: false, logLevel: 'error' } as const
  const document = parseDocument(text, { ...options, lineCounter: lines })
  if (reportSyntax({ content: text, document, at, findings })) return firstOf(findings)
  const unfolding = new Unfolding({ at, env: {}, findings })
  const value = unfolding.valueOf(document.contents, '')
  return { text, root: document.contents, value, lineOf: (offset) => at(offset).line }
}

function firstOf(findings: Findings): { readonly mistake: string } {
  const mistakes = findings.list().slice(0, 1)
  return { mistake: mistakes.map(({ line, message }) => `line ${line}: ${message}`).join() }
}

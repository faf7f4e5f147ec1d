// Two bodies of markup or plain text, compared piece by piece: comments dropped, runs of white space one space. Nothing is guessed
// away: a nonce in a form is a difference, and whether it means something is what noise (noise.ts) tells.
// The danger it guards against: a pattern that backtracks over a body made for it; each character is read a fixed number of times.
import { placeOf } from './spot.ts'
import type { Tally } from './tally.ts'

interface Piece {
  readonly text: string
  /** 1-based line of the body. */
  readonly line: number
}

export type TextKind = 'markup' | 'text'

/** `length` when the number of pieces differs, else `value`; at the line of the first that differs. */
export function compareText(old: string, candidate: string, kind: TextKind, tally: Tally): void {
  const split = kind === 'markup' ? markupPieces : linePieces
  const [ours, theirs] = [split(old), split(candidate)]
  const first = ours.findIndex((piece, i) => piece.text !== theirs[i]?.text)
  if (first < 0 && ours.length === theirs.length) return
  const i = first < 0 ? ours.length : first
  const line = ours[i]?.line ?? (ours.at(-1)?.line ?? 0) + 1
  tally.record(placeOf('body', `body:${line}`), ours.length === theirs.length ? 'value' : 'length', () => [
    tally.show(ours[i]?.text),
    tally.show(theirs[i]?.text),
  ])
}

function linePieces(text: string): readonly Piece[] {
  return text
    .split(/\r\n|\n|\r/)
    .map((line, i) => ({ text: collapse(line), line: i + 1 }))
    .filter((piece) => piece.text !== '')
}

/** Tags and the text between them. */
function markupPieces(text: string): readonly Piece[] {
  const pieces: Piece[] = []
  let line = 1
  for (let at = 0; at < text.length; ) {
    const end = endOfPiece(text, at)
    const raw = text.slice(at, end)
    const piece = raw.startsWith('<!--') ? '' : collapse(raw)
    if (piece !== '') pieces.push({ text: piece, line })
    line += raw.split('\n').length - 1
    at = end
  }
  return pieces
}

/** Up to the end of the comment or tag that begins here, or of the text before the next one. */
function endOfPiece(text: string, at: number): number {
  const close = text.startsWith('<!--', at) ? '-->' : text[at] === '<' ? '>' : undefined
  const found = close === undefined ? text.indexOf('<', at) : text.indexOf(close, at)
  return found < 0 ? text.length : found + (close?.length ?? 0)
}

const collapse = (text: string) => text.replaceAll(/\s+/g, ' ').trim()

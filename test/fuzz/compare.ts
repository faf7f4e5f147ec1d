// Our reading of some bytes beside Node's: whatever we take, Node takes with the same meaning and the same end.
// The danger it guards against: request smuggling and answers that change hands (RFC 9112 §11.2).
import { type NodeReading, nodeAnswers, nodeRequests } from './node.ts'
import { ourAnswers, ourRequests } from './ours.ts'
import type { Case, Message } from './reading.ts'

/** What our own parsers make of it. */
export function readOurs({ kind, method, bytes }: Case): readonly Message[] {
  return kind === 'request' ? ourRequests(bytes) : ourAnswers(method, bytes)
}

/** @returns how many messages both take; throws with the difference when ours takes what Node does not. */
export async function compare(one: Case, ours = readOurs(one)): Promise<number> {
  const { kind, method, bytes } = one
  if (ours.length === 0) return 0
  const cuts = cutsAround(ours, bytes)
  const node = kind === 'request' ? nodeRequests(bytes, cuts) : await nodeAnswers(method, bytes, cuts)
  agree(ours, node, cuts)
  return ours.length
}

/** One byte before each end, and at it: there must be no message more, and there it must be. */
function cutsAround(ours: readonly Message[], bytes: string): number[] {
  return ours.flatMap(({ end }) => (end === undefined ? [bytes.length] : [end - 1, end]))
}

function agree(ours: readonly Message[], node: NodeReading, cuts: readonly number[]): void {
  const expected = ours.flatMap(({ end }, i) => (end === undefined ? [i] : [i, i + 1]))
  const ends = JSON.stringify(node.completeAt)
  if (ends !== JSON.stringify(expected)) throw new Error(`at ${cuts} Node has ${ends} whole messages, not ${expected}`)
  for (const [i, { end: _, ...message }] of ours.entries()) {
    const mine = JSON.stringify(message)
    const theirs = JSON.stringify(node.messages[i])
    if (mine !== theirs) throw new Error(`message ${i} is to us ${mine}, to Node ${theirs}`)
  }
}

// Searches: the route that moves. Both sides are asked beforehand; an answer must be, byte for byte, what the side that it
// names answers. The danger it guards against: a move that changes what clients find, unseen because each answer is a 200.
import type { Reply } from '../client.ts'
import { type Acquaintance, expectReply, jsonIn, type Kind, type PlannedRequest, pickFrom } from '../requests.ts'

/** None finds what the run itself writes (see shipments.ts): their answers do not change under it. */
const queries = [
  ...['coffee', 'hamburg', 'bicycles', 'steel coils', 'santos wine', 'BF-1012', 'göteborg', 'frozen fish', 'piano'],
  ...['durban tea', 'yokohama', 'zzz-nothing', 'o’brien', 'rotterdam&page=2', 'lodz&size=50'],
]
const fewestQueries = 5

/** A search, and what each side answers to it. */
export interface Expected {
  readonly target: string
  /** By the side that X-Served-By names. */
  readonly answers: ReadonlyMap<string, Buffer>
}

export async function learnSearches(acquaintance: Acquaintance): Promise<readonly Kind[]> {
  const { random } = acquaintance
  // Where the sides disagree on what there is to find, the fault is theirs, and not for this test to find.
  const known = await learnAnswers(acquaintance, queries, (from, to) => totalOf(from) === totalOf(to))
  return [{ name: 'search', weight: 20, isMoving: true, next: () => searchFor(pickFrom(known, random)) }]
}

/**
 * @param asked what stands after `q=`, parameters included
 * @param isAgreed whether a search is worth asking, by what both sides answer to it
 * @throws Error when too few are
 */
export async function learnAnswers(
  { operators, move }: Pick<Acquaintance, 'operators' | 'move'>,
  asked: readonly string[],
  isAgreed: (from: Reply, to: Reply) => boolean,
): Promise<readonly Expected[]> {
  const known: Expected[] = []
  for (const query of asked) {
    const target = `/api/search?q=${encodeURIComponent(query).replaceAll('%26', '&').replaceAll('%3D', '=')}`
    const [from, to] = await Promise.all([
      operators.ask(move.from, target).then((reply) => expectReply(reply, 200, `${move.from} ${target}`)),
      operators.ask(move.to, target).then((reply) => expectReply(reply, 200, `${move.to} ${target}`)),
    ])
    if (isAgreed(from, to)) known.push({ target, answers: new Map([from, to].map(sideAndBody)) })
  }
  if (known.length >= fewestQueries) return known
  throw new Error(`before the run: ${move.from} and ${move.to} agree on ${known.length} of ${asked.length} searches`)
}

export function searchFor({ target, answers }: Expected): PlannedRequest {
  return {
    kind: 'search',
    ask: { method: 'GET', target, fields: { Accept: 'application/json' } },
    status: 200,
    complaint(reply: Reply) {
      const side = reply.fields['x-served-by'] ?? ''
      const expected = answers.get(side)
      if (!expected) return `answered by "${side}"`
      return expected.equals(reply.body) ? undefined : `not what ${side} answers`
    },
  }
}

function sideAndBody(reply: Reply): [string, Buffer] {
  return [reply.fields['x-served-by'] ?? '', reply.body]
}

function totalOf(reply: Reply): number {
  return jsonIn<{ total: number }>(reply).total
}

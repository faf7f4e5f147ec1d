// Who asks in a rollback run: visitors, each known by a cookie, who come again and again with searches that both sides answer
// with the same finds. The danger it guards against: visitors who come once, of whom nobody can say that they stayed on a side.
import type { Reply } from '../client.ts'
import { type Expected, learnAnswers, searchFor } from '../kinds/search.ts'
import { type Acquaintance, jsonIn, pickFrom, type RequestMix } from '../requests.ts'
import { visitorCookie } from './plan.ts'

/** All that each finds is on one page, for the sides order it differently. */
const queries = [
  ...['santos wine', 'durban tea', 'hamburg piano', 'santos bicycles', 'durban fish', 'rotterdam wine'],
  'yokohama steel&size=50',
]
/** How often a visitor comes, about. */
const visits = 10
const fewestVisitors = 20

export interface Visitors extends RequestMix {
  /** What that visitor asks next. */
  nextOf(visitor: string): ReturnType<RequestMix['next']>
}

interface VisitorsPlan extends Pick<Acquaintance, 'operators' | 'move' | 'random' | 'tag'> {
  /** In the whole run, about. */
  readonly requests: number
}

export async function inviteVisitors(plan: VisitorsPlan): Promise<Visitors> {
  const { random, tag, requests } = plan
  const searches = await learnAnswers(plan, queries, hasSameFinds)
  const count = Math.max(fewestVisitors, Math.round(requests / visits))
  const nextOf = (visitor: string) => asVisitor(visitor, pickFrom(searches, random))
  return { nextOf, next: () => nextOf(`${tag}v${Math.floor(random() * count)}`) }
}

function asVisitor(visitor: string, search: Expected) {
  const request = searchFor(search)
  const fields = { ...request.ask.fields, Cookie: `${visitorCookie}=${visitor}` }
  return { ...request, visitor, ask: { ...request.ask, fields } }
}

/** Something, and the same on both sides in whatever order: what a comparison must not complain about. */
function hasSameFinds(from: Reply, to: Reply): boolean {
  const finds = idsIn(from)
  return finds.length > 0 && finds.join() === idsIn(to).join()
}

function idsIn(reply: Reply): readonly number[] {
  const { results } = jsonIn<{ results: readonly { id: number }[] }>(reply)
  return results.map(({ id }) => id).sort((a, b) => a - b)
}

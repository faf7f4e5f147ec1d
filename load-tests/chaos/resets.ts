// Many POSTs to a new side that breaks connections at random, in every phase of a request, and is gone for moments at a time.
// The danger it guards against: a request that runs twice. Both sides write down each one that has come whole, for the worst
// that a server can do is to act on it and then say nothing.
import { randomFrom } from '../../services/kit/prng.ts'
import { connectTo, type Reply } from '../client.ts'
import type { StartGateway } from './gateway.ts'
import { wordOf } from './matrix.ts'
import { type Asked, answer, type Origin, type Script, startOrigin, wellAs } from './origins.ts'

const timeoutMs = 20_000
const workers = 16
const absentMs = 20

export interface ResetsPlan {
  readonly posts: number
  readonly seed: number
  /** Methods that the file lets run at both sides: with POST among them some do. */
  readonly listed?: readonly string[]
}

type Counts = Readonly<Record<string, number>>

export interface ResetsReport {
  readonly posts: number
  /** How often the new side did what. */
  readonly deeds: Counts
  /** Requests by how they were answered. */
  readonly answers: Counts
  /** Ids of requests that came whole more than once, at whichever side. */
  readonly ranTwice: readonly string[]
  /** Ids of requests that were answered well, and came whole nowhere. */
  readonly lost: readonly string[]
}

export async function runResets(plan: ResetsPlan, start: StartGateway): Promise<ResetsReport> {
  const deeds: string[] = []
  const random = randomFrom(plan.seed)
  const old = await startOrigin(wellAs('old'))
  const fresh: Origin = await startOrigin(restless(random, deeds, () => fresh.vanish(absentMs)))
  const gateway = await start(routesOf(old, fresh, plan.listed))
  try {
    const replies = await post(gateway.url, plan.posts)
    const runs = countsOf([...old.runs, ...fresh.runs])
    return {
      posts: replies.size,
      deeds: countsOf(deeds),
      answers: countsOf(Array.from(replies.values(), wordOf)),
      ranTwice: [...replies.keys()].filter((id) => (runs[id] ?? 0) > 1),
      lost: [...replies].filter(([id, reply]) => isWell(reply) && runs[id] === undefined).map(([id]) => id),
    }
  } finally {
    await gateway.close()
    await Promise.all([old.close(), fresh.close()])
  }
}

async function post(url: string, posts: number): Promise<ReadonlyMap<string, Reply>> {
  const client = connectTo(url, timeoutMs)
  const replies = new Map<string, Reply>()
  let sent = 0
  const work = async () => {
    while (sent < posts) {
      sent += 1
      const id = `chaos-post-${sent}`
      const fields = { 'X-Request-Id': id }
      replies.set(id, await client.send({ method: 'POST', target: '/orders', fields, body: Buffer.from(id) }))
    }
  }
  await Promise.all(Array.from({ length: workers }, work))
  client.close()
  return replies
}

/** The shares of requests that it breaks, before it has read their body and after; the others it answers well. */
const shareBeforeBody = 0.03
const shares = { vanish: 0.03, reset: 0.06, halfHead: 0.03, midBody: 0.03, resetAfterAnswer: 0.1 }

type Breaking = keyof typeof shares

function restless(random: () => number, deeds: string[], vanish: () => void): Script {
  const acts: Readonly<Record<Breaking, (asked: Asked) => void>> = {
    vanish,
    reset: ({ socket }) => socket.resetAndDestroy(),
    halfHead: ({ socket }) => socket.end('HTTP/1.1 200 OK\r\nContent-Le'),
    midBody: ({ socket }) =>
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nnew', () => socket.resetAndDestroy()),
    // The next request may be under way to this connection already.
    resetAfterAnswer: ({ socket }) => {
      answer(socket, 200, 'new')
      setImmediate(() => socket.resetAndDestroy())
    },
  }
  return {
    headCame: ({ socket }) => {
      if (random() >= shareBeforeBody) return
      deeds.push('resetBeforeBody')
      socket.resetAndDestroy()
    },
    requestCame: (asked) => {
      const deed = draw(random)
      deeds.push(deed ?? 'answer')
      if (deed) acts[deed](asked)
      else answer(asked.socket, 200, 'new')
    },
  }
}

function draw(random: () => number): Breaking | undefined {
  let left = random()
  for (const [deed, share] of Object.entries(shares)) {
    left -= share
    if (left < 0) return deed as Breaking
  }
  return undefined
}

/** No breaker: it would open, and spare the new side what this is about. All retries that the file may ask for. */
function routesOf(old: Origin, fresh: Origin, listed: readonly string[] = []): string {
  const fallback = `fallback: { methods: [${listed.join(', ')}] }`
  return `
accessLog: off
paths: { case: exact }
unmatched: old
upstreams: { old: { url: "${old.url}" }, new: { url: "${fresh.url}" } }
routes:
  - { name: orders, match: { path: /orders }, retry: { attempts: 5 }, move: { to: new, stage: live, ${fallback} } }
`
}

function isWell({ ending, status }: Reply): boolean {
  return ending === 'whole' && status === 200
}

function countsOf(words: readonly string[]): Counts {
  const counts: Record<string, number> = {}
  for (const word of words) counts[word] = (counts[word] ?? 0) + 1
  return counts
}

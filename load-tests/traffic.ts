// Sends the run's requests at their times and keeps one record of each, from its schedule to how its answer was judged.
// The danger it guards against: a request that is missing from the record: not sent, or sent and forgotten. Both count.
import { runArrivals, type Ticker } from './arrivals.ts'
import type { Client, Ending, Reply } from './client.ts'
import type { PlannedRequest, RequestMix } from './requests.ts'

/** What became of one request, for the client. */
export type Outcome = 'ok' | 'wrongBody' | 'wrongStatus' | Exclude<Ending, 'whole'>

export const outcomes: readonly Outcome[] = [
  'ok',
  'wrongBody',
  'wrongStatus',
  'reset',
  'truncated',
  'timedOut',
  'refused',
]

/** Times are monotonic milliseconds. */
export interface SentRequest {
  readonly id: string
  readonly kind: string
  readonly visitor?: string
  readonly scheduledAt: number
  readonly sentAt: number
  readonly endedAt: number
  readonly outcome: Outcome
  readonly status: number
  /** The code of the connection's error, the gateway's failure, or what was wrong with the answer. */
  readonly why?: string | undefined
  /** Whether a whole answer came that the gateway has not made itself. */
  readonly isAnswered: boolean
  readonly servedBy?: string | undefined
}

export interface TrafficPlan {
  /** Milliseconds from the start, ascending. */
  readonly times: Iterable<number>
  readonly ticker: Ticker
  readonly client: Client
  readonly mix: RequestMix
  /** Requests under way at which the client gives up keeping pace: what is due then is not sent, and counted. */
  readonly maxInFlight: number
  /** Every id begins so. */
  readonly idPrefix: string
}

export interface Traffic {
  readonly records: readonly SentRequest[]
  /** How late each request was sent. */
  readonly lagsMs: readonly number[]
  readonly unsent: number
  readonly inFlight: number
  /** Resolves when all arrivals have been launched and all answers are in or given up. */
  readonly done: Promise<void>
}

/** Starts sending; the counts of what it returns grow while it runs. */
export function startTraffic({ times, ticker, client, mix, maxInFlight, idPrefix }: TrafficPlan): Traffic {
  const records: SentRequest[] = []
  const lagsMs: number[] = []
  const pending = new Set<Promise<void>>()
  let unsent = 0
  let number = 0

  const sendOne = async (request: PlannedRequest, id: string, scheduledAt: number) => {
    const sentAt = ticker.now()
    lagsMs.push(sentAt - scheduledAt)
    const fields = { ...request.ask.fields, 'X-Request-Id': id }
    const reply = await client.send({ ...request.ask, fields })
    const endedAt = ticker.now()
    const judged = judge(request, reply)
    if (judged.outcome === 'ok') request.onRight?.(reply)
    const { kind, visitor } = request
    records.push({ id, kind, ...(visitor !== undefined && { visitor }), scheduledAt, sentAt, endedAt, ...judged })
  }
  const launch = (scheduledAt: number) => {
    if (pending.size >= maxInFlight) {
      unsent += 1
      return
    }
    number += 1
    const work = sendOne(mix.next(), `${idPrefix}${number}`, scheduledAt)
    pending.add(work)
    void work.then(() => pending.delete(work))
  }
  const done = runArrivals(times, ticker, launch).then(async () => void (await Promise.all(pending)))
  return {
    records,
    lagsMs,
    done,
    get unsent() {
      return unsent
    },
    get inFlight() {
      return pending.size
    },
  }
}

/** @returns what the wire, the status and the body say of a reply, in this order: the first complaint is the outcome. */
export function judge(
  request: PlannedRequest,
  reply: Reply,
): Pick<SentRequest, 'outcome' | 'status' | 'why' | 'isAnswered' | 'servedBy'> {
  const { ending, status, cause } = reply
  const servedBy = reply.fields['x-served-by']
  if (ending !== 'whole') return { outcome: ending, status, why: cause, isAnswered: false, servedBy }
  const failure = gatewaysFailure(reply)
  if (failure !== undefined) return { outcome: 'wrongStatus', status, why: failure, isAnswered: false, servedBy }
  if (status !== request.status) {
    return { outcome: 'wrongStatus', status, why: `not ${request.status}`, isAnswered: true, servedBy }
  }
  const complaint = complaintOf(request, reply)
  if (complaint === undefined) return { outcome: 'ok', status, isAnswered: true, servedBy }
  // Such an answer may have been cut where nobody can see it; and then it was.
  const outcome = reply.isEndUnsure ? 'truncated' : 'wrongBody'
  return { outcome, status, why: complaint, isAnswered: !reply.isEndUnsure, servedBy }
}

function complaintOf(request: PlannedRequest, reply: Reply): string | undefined {
  try {
    return request.complaint(reply)
  } catch (error) {
    // JSON that is none, or that lacks what the request was for.
    return error instanceof Error ? error.message : String(error)
  }
}

/** The code of a failure that the gateway itself reports (problem+json, RFC 9457), in nobody's name but its own. */
function gatewaysFailure(reply: Reply): string | undefined {
  if (!reply.fields['content-type']?.startsWith('application/problem+json')) return undefined
  return /"urn:banyan:problem:(\w+)"/.exec(reply.body.toString('utf8'))?.[1]
}

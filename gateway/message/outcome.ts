// How an attempt ended, in one form for all: every property of each, in one order. Whoever counts Outcomes then sees one kind of
// object, and is compiled once; the first client that leaves early cost 13 functions a compilation, each two or three times.
// The danger it guards against: an attempt held against somebody whose doing it was not.
import type { Failure } from '../errors.ts'
import type { End, Exchange, Outcome } from '../model.ts'

type Attempt = Pick<Exchange, 'id' | 'route' | 'upstream' | 'role'>
type Times = Pick<Required<Outcome>, 'firstByteMs' | 'totalMs'>
type Fault = Pick<Outcome, 'failure' | 'blame'>

/** Of one that was answered with that status. */
export function endedOutcome(attempt: Attempt, status: number, end: End, { firstByteMs, totalMs }: Times): Outcome {
  const { failure, blame } = faultOf(end)
  return outcomeOf(attempt, { status, failure, blame, firstByteMs, totalMs, end: end.how })
}

/** Of one that no answer came to. */
export function failedOutcome(attempt: Attempt, { code, blame }: Failure, totalMs: number): Outcome {
  const unanswered = { status: undefined, firstByteMs: undefined }
  return outcomeOf(attempt, { ...unanswered, failure: code, blame, totalMs, end: 'noAnswer' })
}

const nobodys: Fault = { failure: undefined, blame: undefined }
const clients: Fault = { failure: 'clientGone', blame: 'client' }

function faultOf({ how, failure = 'upstreamTruncated' }: End): Fault {
  if (how === 'upstreamBroke') return { failure, blame: 'upstream' }
  return how === 'clientGone' ? clients : nobodys
}

type Ended = Omit<Outcome, 'exchangeId' | 'route' | 'upstream' | 'role'>

function outcomeOf({ id, route, upstream, role }: Attempt, ended: Ended): Outcome {
  const { status, failure, blame, firstByteMs, totalMs, end } = ended
  const made = { exchangeId: id, route: route.name, upstream: upstream.name, role }
  return { ...made, status, failure, blame, firstByteMs, totalMs, end }
}

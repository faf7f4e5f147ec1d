// The list of all that a message through the gateway may differ in from the same message sent directly. Whatever is not on it must be
// the same byte. The danger it guards against: a difference that a test forgives and nobody has decided on.
import { type Message, valuesOf } from './messages.ts'

interface Difference {
  /** Names of fields, in lower case. */
  readonly fields: readonly string[]
  readonly why: string
}

/** Towards the upstream: written by the gateway itself, in place of the client's. */
export const addedToRequests: readonly Difference[] = [
  { fields: ['via'], why: 'RFC 9110 §7.6.3: a gateway names itself towards the upstream' },
  {
    fields: ['x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'forwarded'],
    why: 'RFC 7239: who the client is; what an untrusted client claims of itself is replaced',
  },
  { fields: ['x-request-id'], why: 'one id from the client to every log; kept when it is sane' },
]

/** Of one hop alone; each side of the gateway has its own. */
export const ownOfEachHop: readonly Difference[] = [
  { fields: ['connection'], why: 'RFC 9110 §7.6.1: each hop says for itself whether it lasts' },
  {
    fields: ['transfer-encoding'],
    why: 'RFC 9112 §6.1: the coding is undone and made anew; chunk sizes and extensions',
  },
  { fields: ['upgrade'], why: 'RFC 9110 §7.8: only in a handshake, where it is made anew with the same value' },
]

/** Ends at the gateway. */
export const dropped: readonly Difference[] = [
  { fields: ['keep-alive', 'proxy-connection'], why: 'RFC 9110 §7.6.1: about the connection, not the message' },
  {
    fields: ['proxy-authorization', 'proxy-authenticate'],
    why: 'RFC 9110 §11.7: credentials for a proxy end at the nearest',
  },
]

/** What is not about one field; the functions below are their meaning. */
export const otherDifferences: Readonly<Record<string, string>> = {
  named: 'RFC 9110 §7.6.1: a field that Connection names ends here, but for Host and Content-Length',
  te: 'RFC 9110 §10.1.4: of TE only `trailers` passes, for it is the one coding the gateway can vouch for',
  blanks: 'RFC 9112 §5.1: blanks around a value are no part of it; written as one space before it',
  version: 'RFC 9110 §2.5: each sender gives its own version, HTTP/1.1',
  emptyReason: 'RFC 9112 §4: an empty reason is written with the space before it, which the grammar demands',
  interimReason: 'RFC 9110 §15.2: an interim answer has the standard reason, and a 100 no fields; those of others pass',
  untilClose: 'RFC 9112 §6.3: an answer that ended with its connection is sent chunked, and the connection goes on',
  authority:
    'RFC 9112 §3.2.2: Host becomes that of an absolute target; RFC 9112 §3.2: HTTP/1.0 without one gets the target’s',
  rawTarget: 'RFC 9112 §3.2: a target with bytes that are not ASCII is refused with 400, as Node’s parser has it',
  old: 'RFC 9112 §9.3: a connection of HTTP/1.0 ends after its answer, whatever it asks for',
  refusedBody:
    'RFC 9110 §10.1.1: after a final answer to an expectation that no 100 has met the connection ends, for the body may still come',
  brokenHead: 'RFC 9110 §15.6.3: an upstream that closes before its head is a 502',
  halfClose: 'RFC 9112 §9.6: a client that ends its side while it waits is taken for one that has left',
  marked:
    'Shadow and Banyan-Role of an untrusted client do not reach the new side of a move, which may take them for an order; test/journey/split.test.ts',
  unchunkedTrailer: 'Node’s HTTP server cannot send Trailer on an answer that has none; general door only',
}

const namesOf = (list: readonly Difference[]) => list.flatMap(({ fields }) => fields)
const notOfRequests = new Set(namesOf([...addedToRequests, ...ownOfEachHop]))
const notOfAnswers = new Set(namesOf(ownOfEachHop))
const gone = new Set(namesOf(dropped))
const nobodysToDrop = new Set(['host', 'content-length'])

/** A message as the other end is to see it, from what was sent. */
export function expectedRequest(sent: Message): Message {
  return { ...sent, start: sent.start.replace(/HTTP\/1\.0$/, 'HTTP/1.1'), ...expectedFields(sent, notOfRequests) }
}

export function expectedAnswer(sent: Message): Message {
  const isInterim = / 1(?!01)\d\d/.test(sent.start)
  const start = sent.start.replace(/^HTTP\/1\.0/, 'HTTP/1.1').replace(/^(HTTP\/1\.1 \d{3})$/, '$1 ')
  const reasoned = isInterim
    ? start.replace(/^(\S+ \d+).*/, (_, line: string) => `${line} ${interimReasons[line.slice(9)]}`)
    : start
  return { ...sent, start: reasoned, ...expectedFields(sent, notOfAnswers) }
}

const interimReasons: Readonly<Record<string, string>> = {
  100: 'Continue',
  102: 'Processing',
  103: 'Early Hints',
  110: '',
}

/** A message as the gateway sent it on, less what it may write itself. Nothing else is forgiven here. */
export function seenRequest(seen: Message): Message {
  return { ...seen, fields: seen.fields.filter((line) => !notOfRequests.has(nameOf(line))) }
}

export function seenAnswer(seen: Message): Message {
  return { ...seen, fields: seen.fields.filter((line) => !notOfAnswers.has(nameOf(line))) }
}

function expectedFields({ fields, trailers }: Message, own: ReadonlySet<string>): Pick<Message, 'fields' | 'trailers'> {
  const named = new Set(
    valuesOf(fields, 'connection')
      .flatMap((value) => value.split(','))
      .map((name) => name.trim().toLowerCase())
      .filter((name) => !nobodysToDrop.has(name) && name !== 'te'),
  )
  const kept = fields.filter((line) => {
    const name = nameOf(line)
    return !own.has(name) && !gone.has(name) && !named.has(name)
  })
  return { fields: kept.flatMap(canonical), trailers: trailers.flatMap(canonical) }
}

const nameOf = (line: string) => line.slice(0, line.indexOf(':')).toLowerCase()

function canonical(line: string): string[] {
  const colon = line.indexOf(':')
  const value = line.slice(colon + 1).replace(/^[\t ]+|[\t ]+$/g, '')
  if (nameOf(line) !== 'te') return [`${line.slice(0, colon)}: ${value}`]
  return /(^|,)\s*trailers\s*(,|$)/i.test(value) ? [`${line.slice(0, colon)}: trailers`] : []
}

// What a door says when there is no request to answer: the head was malformed, too large or too late.
// The danger it guards against: a connection kept open whose next byte nobody can place (RFC 9112 §11.2): it always ends here.
import type { Socket } from 'node:net'
import { Failure, type FailureCode } from '../errors.ts'
import { problemAnswer } from '../message/answer.ts'
import { noFields } from '../message/fields.ts'
import { requestIdOf } from '../message/requestId.ts'
import type { Answer } from '../model.ts'
import { writeAnswer } from './answerBytes.ts'
import { linger } from './linger.ts'

export function refusalOf(code: FailureCode, now: () => number): Answer {
  return problemAnswer(new Failure(code, code), { id: requestIdOf(noFields) }, now)
}

/** Writes a problem and closes. */
export function refuse(socket: Socket, code: FailureCode, now: () => number): void {
  writeAnswer(refusalOf(code, now), { method: 'GET', isLast: true }, socket, { done() {}, broke() {} })
  linger(socket)
}

/** An error of Node's HTTP parser. */
export interface ParserError extends Error {
  readonly code?: unknown
  /** What was being parsed (a Buffer), and how far that went. */
  readonly rawPacket?: unknown
  readonly bytesParsed?: number
}

/** The failure that an error of Node's parser stands for. */
export function failureOfParserError(error: ParserError): FailureCode {
  if (error.code === 'HPE_HEADER_OVERFLOW') return 'requestHeadTooLarge'
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') return 'requestTimeout'
  return error.code === 'HPE_INVALID_METHOD' && isMethod(error) ? 'methodUnknown' : 'requestMalformed'
}

/** Whether the line begins as a request of some method does (a token, RFC 9110 §9.1), and not as no HTTP at all. */
function isMethod({ rawPacket, bytesParsed = 0 }: ParserError): boolean {
  const packet = Buffer.isBuffer(rawPacket) ? rawPacket.toString('latin1') : ''
  const line = packet.slice(packet.lastIndexOf('\n', Math.max(0, bytesParsed - 1)) + 1)
  return /^[!#$%&'*+.^_`|~0-9A-Za-z-]+( |$)/.test(line)
}

/** A request that is sound and only unwelcome (401, 429) leaves its connection as sound as it was. */
const faults: ReadonlySet<string | undefined> = new Set<FailureCode>([
  'requestMalformed',
  'requestTimeout',
  'requestHeadTooLarge',
  'methodUnknown',
  'expectationUnknown',
  'requestBodyBroken',
  'clientGone',
])

/** Whether the answer is to something that nobody can place on its connection. */
export function isClientsFault({ failure }: Answer): boolean {
  return faults.has(failure)
}

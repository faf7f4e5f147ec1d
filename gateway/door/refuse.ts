// What a door says when there is no request to answer: the head was malformed, too large or too late.
// The danger it guards against: a connection kept open whose next byte nobody can place (RFC 9112 §11.2): it always ends here.
import { STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { Failure, type FailureCode } from '../errors.ts'
import { problemAnswer } from '../message/answer.ts'
import { noFields } from '../message/fields.ts'
import { requestIdOf } from '../message/requestId.ts'

/** Writes a problem and closes. */
export function refuse(socket: Duplex, code: FailureCode, now: () => number): void {
  const { status, fields, body } = problemAnswer(new Failure(code, code), { id: requestIdOf(noFields) }, now)
  const lines = [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`]
  for (let i = 0; i < fields.raw.length; i += 2) lines.push(`${fields.raw[i]}: ${fields.raw[i + 1]}`)
  socket.end(`${lines.join('\r\n')}\r\nConnection: close\r\n\r\n${body}`)
}

/** The failure that an error of Node's parser stands for. */
export function failureOfParserError(code: string | undefined): FailureCode {
  if (code === 'HPE_HEADER_OVERFLOW') return 'requestHeadTooLarge'
  if (code === 'HPE_INVALID_METHOD') return 'methodUnknown'
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return 'requestTimeout'
  return 'requestMalformed'
}

// What the admin listener answers when it does not do what was asked (RFC 9457).
// The danger it guards against: an answer that says no without saying what would be a yes.
import type { FastifyReply } from 'fastify'
import { hideKeys } from '../message/hideKeys.ts'

interface More {
  readonly detail?: string
  readonly [member: string]: unknown
}

export function sendProblem(reply: FastifyReply, status: number, title: string, more: More = {}): FastifyReply {
  const { detail } = more
  return reply
    .code(status)
    .type('application/problem+json')
    .send({
      ...{ type: 'about:blank', title: hideKeys(title), status },
      ...{ ...more, ...(detail !== undefined && { detail: hideKeys(detail) }) },
    })
}

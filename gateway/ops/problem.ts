// What the admin listener answers when it does not do what was asked (RFC 9457).
// The danger it guards against: an answer that says no without saying what would be a yes.
import type { FastifyReply } from 'fastify'

export function sendProblem(reply: FastifyReply, status: number, title: string, more: object = {}): FastifyReply {
  return reply
    .code(status)
    .type('application/problem+json')
    .send({ type: 'about:blank', title, status, ...more })
}

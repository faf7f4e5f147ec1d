// How often one address may ask the admin listener.
// The danger it guards against: a script in a loop, or somebody who tries tokens, that keeps the gateway from its clients.
import rateLimit from '@fastify/rate-limit'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { isLoopback } from '../message/addresses.ts'
import { sendProblem } from './problem.ts'

const windowMs = 10_000
/** Dashboards, `status --watch` and scrapes stay far below; what is on this machine is many in one address. */
const most = { fromElsewhere: 500, fromHere: 10_000 }
/** An IPv6 client changes its address within its /64 at will (RFC 8981). */
const ipv6Subnet = 64
const mostAddresses = 5_000

/** A hook that refuses what is too much. Before every other one, so that what they refuse counts too. */
export async function limitAdmin(app: FastifyInstance): Promise<void> {
  await app.register(rateLimit, { global: false, cache: mostAddresses })
  const max = ({ ip }: FastifyRequest) => (isLoopback(ip) ? most.fromHere : most.fromElsewhere)
  const count = app.createRateLimit({ max, timeWindow: windowMs, ipv6Subnet })
  app.addHook('onRequest', async (request, reply): Promise<FastifyReply | undefined> => {
    const counted = await count(request)
    if (counted.isAllowed || !counted.isExceeded) return undefined
    const { ttlInSeconds } = counted
    reply.header('Retry-After', ttlInSeconds)
    return sendProblem(reply, 429, 'This address asks too often.', { detail: `it may again in ${ttlInSeconds} s` })
  })
}

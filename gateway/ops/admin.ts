// The admin listener: health, metrics, status, a look at the upstreams, the reload, and what moves the rollouts.
// The danger it guards against: a web page that drives it from an operator's browser (DNS rebinding, cross-site requests).

import { isIP } from 'node:net'
import helmet from '@fastify/helmet'
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { keySetPath } from '../message/keySetPath.ts'
import type { CoreSettings } from '../model.ts'
import { limitAdmin } from './adminLimit.ts'
import { auditPages } from './auditPages.ts'
import { cachePages } from './caching.ts'
import { diffPage } from './diff.ts'
import type { AdminPorts } from './gateway.ts'
import { keyNotices } from './keyNotices.ts'
import { keyPages } from './keyPages.ts'
import { lookThrough } from './lookThrough.ts'
import { admission, callOf, isAdmitted, operatorOf } from './operators.ts'
import { orders } from './orders.ts'
import { allowedAt, paths } from './places.ts'
import { readinessOf } from './probes.ts'
import { sendProblem } from './problem.ts'
import { rolloutPages } from './rolloutPages.ts'
import { statusOf } from './status.ts'

const isSafe = new Set(['GET', 'HEAD', 'OPTIONS'])

/** A Fastify instance that does not listen yet. */
export async function createAdmin(ports: AdminPorts): Promise<FastifyInstance> {
  const app = Fastify({
    logger: false,
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    // An order that is written otherwise than it is read must not be carried out half.
    ajv: { customOptions: { removeAdditional: false, coerceTypes: false } },
    // What no route can be looked up for never meets a hook; Fastify's own answer is no problem+json.
    frameworkErrors: (error, _request, reply) => sendProblem(reply, error.statusCode ?? 400, 'This is no valid path.'),
  })
  await limitAdmin(app)
  app.addHook('onRequest', async (request, reply) => {
    const { isSigned } = request.routeOptions.config
    if (!isSigned && !isOurHost(request, ports.gateway.snapshot()?.settings.admin)) {
      recordRefused(request, 'the Host is not this listener', ports.gateway)
      return sendProblem(reply, 421, 'This Host is not this listener.', { remedy: 'Use its address or localhost.' })
    }
    // No page of another site can add a field of its own without a CORS preflight, which is never granted here.
    if (!isSigned && !isSafe.has(request.method) && !request.is404 && !request.headers['banyan-admin']) {
      recordRefused(request, 'a change without a Banyan-Admin field', ports.gateway)
      return sendProblem(reply, 403, 'A change needs a Banyan-Admin field.', { remedy: 'Add: Banyan-Admin: 1' })
    }
    reply.header('Cache-Control', 'no-store')
  })
  // What a page may be asked for by is said where it is: app.get('/keys', { config: { role: 'keys' } }, …) (operators.ts).
  app.addHook('onRequest', admission(ports))
  app.addHook('onResponse', async (request, reply) => {
    if (isOrder(request)) recordOrder(request, reply.statusCode, ports.gateway)
  })
  await app.register(helmet, {
    contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] } },
    strictTransportSecurity: false,
  })
  app.setErrorHandler<Error & { statusCode?: number }>((error, _request, reply) => {
    const status = error.statusCode ?? 500
    return sendProblem(reply, status, status < 500 ? error.message : 'The admin listener failed.')
  })
  app.setNotFoundHandler(refuse)
  addReads(app, ports)
  app.post('/reload', { config: { role: 'operate' } }, async (_request, reply) => {
    const result = await ports.gateway.reload()
    return reply.code(result.accepted ? 200 : 422).send(result)
  })
  await app.register(orders, { gateway: ports.gateway })
  await app.register(rolloutPages, { gateway: ports.gateway, clock: ports.clock })
  await app.register(auditPages, { gateway: ports.gateway, wall: ports.clock.wall })
  await app.register(cachePages, { gateway: ports.gateway })
  await app.register(diffPage, { gateway: ports.gateway })
  await app.register(keyPages, { gateway: ports.gateway })
  await app.register(keyNotices, { gateway: ports.gateway })
  await app.register(lookThrough, { prefix: '/upstreams/:name', gateway: ports.gateway })
  return app
}

function addReads(app: FastifyInstance, { gateway, health, metrics, clock }: AdminPorts): void {
  const open = { config: { role: 'anyone' } } as const
  const read = { config: { role: 'read' } } as const
  app.get('/healthz', open, async () => ({ alive: true }))
  app.get('/readyz', open, async (_request, reply) => {
    const { status, body } = await readinessOf(gateway, health)
    return reply.code(status).send(body)
  })
  app.get(keySetPath, open, async (_request, reply) => reply.type('application/jwk-set+json').send(gateway.published()))
  app.get('/metrics', read, async (_request, reply) => reply.type(metrics.contentType).send(await metrics.text()))
  app.get('/status', read, async () => statusOf({ gateway, health, metrics, clock }))
}

/** Whatever was to change something; a plan is a question that is too long for a path, and of what is signed its page tells. */
function isOrder(request: FastifyRequest): boolean {
  const { role, isSigned } = request.routeOptions.config
  return !isSafe.has(request.method) && !request.is404 && role !== 'read' && !isSigned && isAdmitted(request)
}

function recordOrder(request: FastifyRequest, status: number, { record }: AdminPorts['gateway']): void {
  const call = { by: operatorOf(request), subject: callOf(request), reason: `answered ${status}` }
  record.audit({ kind: 'admin', ...call, evidence: { address: request.ip, status } }, 'admin call')
}

/** Perhaps a page in an operator's browser, which should be known. */
function recordRefused(request: FastifyRequest, reason: string, { record }: AdminPorts['gateway']): void {
  record.refused(request.ip, { kind: 'refused', by: request.ip, subject: callOf(request), reason })
}

/** 405 (RFC 9110 §15.5.6) where the path has other methods, else 404. */
async function refuse(request: FastifyRequest, reply: FastifyReply) {
  const allow = allowedAt(request.url.split('?', 1)[0] ?? '')
  if (allow === undefined) return sendProblem(reply, 404, 'Nothing is here.', { paths })
  reply.header('Allow', allow)
  return sendProblem(reply, 405, `Only ${allow} here.`)
}

/** A rebound name of a web page's own is never an address, localhost or the configured name; and no page has a token to send. */
function isOurHost({ headers }: FastifyRequest, admin: CoreSettings['admin'] | undefined): boolean {
  const host = (headers.host ?? '').toLowerCase().replace(/:\d+$/, '')
  if (host === 'localhost' || host === admin?.host || isIP(host.replace(/^\[(.*)\]$/, '$1')) !== 0) return true
  return (admin?.tokens.length ?? 0) > 0
}

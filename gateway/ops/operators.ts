// Who asks the admin listener, and whether he may.
// The danger it guards against: an order by somebody whom nobody knows, or a page that was forgotten and is open to everyone. So a
// route says who may ask for it, `{ config: { role: 'operate' } }` (`anyone` for what tells nothing), and one that says
// nothing is only for a token that has every role.
import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { adminRoles } from '../config/adminSchema.ts'
import { isLoopback } from '../message/addresses.ts'
import type { AdminRole, AdminToken } from '../model.ts'
import type { AdminPorts } from './gateway.ts'
import { loggedPath } from './log.ts'
import { sendProblem } from './problem.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** To whose tokens it is open; absent: to those that have every role. */
    readonly role?: AdminRole | 'anyone'
    /** What it is asked is signed by who may ask it: no page of another site can have done that. */
    readonly isSigned?: true
  }
}

/** Those that were let in, with the names of their tokens. */
const admitted = new WeakMap<FastifyRequest['raw'], { readonly name?: string }>()

/** Whether it was let in. */
export function isAdmitted({ raw }: FastifyRequest): boolean {
  return admitted.has(raw)
}

/**
 * Who asks, for the audit: the name of his token; without tokens whom he says he is, which never looks like a token's name.
 * @param said in the body, in place of the field Banyan-Admin
 */
export function operatorOf({ raw, headers }: Pick<FastifyRequest, 'raw' | 'headers'>, said?: string): string {
  const name = admitted.get(raw)?.name
  if (name !== undefined) return name
  const own = said ?? String(headers['banyan-admin'] ?? '').slice(0, 64)
  if (own === '' || own === '1') return 'local'
  return own.includes(':') ? own : `local:${own}`
}

/** What was asked for, for the audit: a key that somebody has put into the path is no part of it. */
export function callOf({ method, url }: Pick<FastifyRequest, 'method' | 'url'>): string {
  return `${method} ${loggedPath(url).replace(/by[an]_[^/]*/g, '…')}`
}

/** The hook that lets in whom the file's tokens name, and, as long as it has none, whoever asks from this machine. */
export function admission({ gateway, clock }: Pick<AdminPorts, 'gateway' | 'clock'>) {
  return async function admit(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> {
    const { role } = request.routeOptions.config
    const tokens = gateway.snapshot()?.settings.admin.tokens ?? []
    if (role === 'anyone' || (tokens.length === 0 && isLoopback(request.socket.localAddress ?? ''))) {
      admitted.set(request.raw, {})
      return undefined
    }
    // What is not there is told to whoever has a token.
    const roles = request.is404 ? [] : role === undefined ? adminRoles : [role]
    const found = judge(request.headers.authorization, { tokens, roles, nowMs: clock.wall() })
    if (typeof found === 'object' && 'name' in found) {
      admitted.set(request.raw, found)
      return undefined
    }
    const { status, challenge, reason, by = request.ip } = found
    gateway.record.refused(request.ip, { kind: 'refused', by, subject: callOf(request), reason })
    reply.header('WWW-Authenticate', challenge)
    return sendProblem(reply, status, titles[status], { detail: reason, remedy: remedies[status] })
  }
}

const warnMs = 14 * 86_400_000

/** Sentences about tokens that have ended, or soon will. */
export function tokenHints(tokens: readonly AdminToken[], nowMs: number): readonly string[] {
  return tokens.flatMap(({ name, roles, expiresAt = Number.POSITIVE_INFINITY }) => {
    if (expiresAt - nowMs > warnMs) return []
    const when = `${nowMs >= expiresAt ? 'has expired' : 'expires'} at ${new Date(expiresAt).toISOString()}`
    return [
      `the admin token of ${name} ${when}; to make another: banyan admin token ${name} --roles ${roles.join(',')}`,
    ]
  })
}

interface Refused {
  readonly status: 401 | 403
  /** RFC 6750 §3. */
  readonly challenge: string
  /** A sentence that names no token. */
  readonly reason: string
  /** Whose token it is. */
  readonly by?: string
}

const titles = { 401: 'This needs a token.', 403: 'This token does not open that.' }
const remedies = {
  401: 'Send Authorization: Bearer TOKEN, with one that admin.tokens in routes.yaml names; the banyan command takes it from BANYAN_ADMIN_TOKEN. To make one: banyan admin token NAME --roles read,operate',
  403: 'Ask with another token, or give this one the role in routes.yaml: it takes effect at once.',
}

interface Wanted {
  readonly tokens: readonly AdminToken[]
  readonly roles: readonly AdminRole[]
  /** Milliseconds since the epoch. */
  readonly nowMs: number
}

/** @param authorization the value of that field. @returns the token that opens it, or why none does */
function judge(authorization: string | undefined, { tokens, roles, nowMs }: Wanted): AdminToken | Refused {
  if (authorization === undefined) return { status: 401, challenge: challenge(), reason: 'no token was sent' }
  const token = tokenOf(authorization, tokens)
  if (!token) return { status: 401, challenge: challenge('invalid_token'), reason: 'nobody has this token' }
  const { name, expiresAt = Number.POSITIVE_INFINITY } = token
  if (nowMs >= expiresAt) {
    const reason = `the token of ${name} has expired at ${new Date(expiresAt).toISOString()}`
    return { status: 401, challenge: challenge('invalid_token'), reason, by: name }
  }
  const missing = roles.filter((role) => !token.roles.includes(role))
  if (missing.length === 0) return token
  const reason = `the token of ${name} does not have the role ${missing.join(', ')}`
  return { status: 403, challenge: challenge('insufficient_scope', missing), reason, by: name }
}

function challenge(error?: string, roles: readonly AdminRole[] = []): string {
  const more = error === undefined ? '' : `, error="${error}"`
  return `Bearer realm="banyan admin"${more}${roles.length > 0 ? `, scope="${roles.join(' ')}"` : ''}`
}

/** The syntax is RFC 6750 §2.1. Hashes are compared, each in constant time, so that nothing tells how near a guess was. */
function tokenOf(authorization: string, tokens: readonly AdminToken[]): AdminToken | undefined {
  const [, sent] = /^bearer +([A-Za-z0-9._~+/-]{1,512}=*)$/i.exec(authorization) ?? []
  if (sent === undefined) return undefined
  const hash = createHash('sha256').update(sent).digest()
  return tokens.find(({ sha256 }) => timingSafeEqual(hash, Buffer.from(sha256, 'hex')))
}

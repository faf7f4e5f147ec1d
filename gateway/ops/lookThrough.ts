// /upstreams/NAME/*: an operator sees an upstream's own health, metrics and ledger from the admin listener.
// The danger it guards against: what @fastify/http-proxy does unasked: it leaves TLS unverified, sends a GET that meets a
// 503 up to eleven times (`maxRetriesOn503: 0` means ten), and gives the upstream's pages the admin listener's origin.

import httpProxy from '@fastify/http-proxy'
import type { FastifyInstance, FastifyReply } from 'fastify'
import type { Gateway } from './gateway.ts'
import { sendProblem } from './problem.ts'

const timeoutMs = 10_000
/** Nobody is at the other end of what is left out: cookies and credentials of other sites on this address, bodies. */
const passedOn = ['accept', 'accept-encoding', 'if-match', 'if-modified-since', 'if-none-match', 'range', 'user-agent']
/** Fields of one connection (RFC 9110 §7.6.1), and those that would act on the admin listener's own origin. */
const keptBack = ['connection', 'keep-alive', 'transfer-encoding', 'set-cookie', 'clear-site-data', 'refresh']

type Names = Record<string, string | string[] | undefined>

interface Options {
  readonly gateway: Gateway
}

export async function lookThrough(app: FastifyInstance, { gateway }: Options): Promise<void> {
  const originOf = (request: { params: unknown }) => {
    const { name } = request.params as { name: string }
    return gateway.snapshot()?.upstreams.get(name)?.target.origin
  }
  // A GET of an old system may do something: no page of another site may send it (Fetch Metadata; curl sends no such field).
  app.addHook('onRequest', async (request, reply) => {
    const site = request.headers['sec-fetch-site']
    if (site === undefined || site === 'same-origin' || site === 'none') return
    return sendProblem(reply, 403, 'Another site may not look at upstreams.', { remedy: 'Type the address.' })
  })
  await app.register(httpProxy, {
    upstream: '',
    config: { role: 'read' },
    httpMethods: ['GET', 'HEAD'],
    disableCache: true,
    destroyAgent: true,
    internalRewriteLocationHeader: false,
    http: { requestOptions: { rejectUnauthorized: true, timeout: timeoutMs } },
    // Resolved once more where it is used, so the Snapshot may not change in between: both run in the same tick.
    preHandler: (request, reply, done) => {
      if (originOf(request) !== undefined) return done()
      const names = [...(gateway.snapshot()?.upstreams.keys() ?? [])]
      sendProblem(reply, 404, 'There is no upstream of that name.', { names })
    },
    replyOptions: {
      getUpstream: (request) => originOf(request) ?? '',
      retryDelay: () => null,
      rewriteRequestHeaders: (_request, fields) => pick(fields),
      rewriteHeaders: (fields, request) => guarded(fields, request?.params as { name: string }),
      // The cast: this listener speaks HTTP/1 alone.
      onError: (reply, { error }) => answerFailure(reply as FastifyReply, error),
    },
  })
}

function pick(fields: Names): Names {
  return Object.fromEntries([...passedOn, 'host'].flatMap((name) => (name in fields ? [[name, fields[name]]] : [])))
}

/** No page of an upstream may run scripts here or frame what is here: they would be this origin's own. */
function guarded(fields: Names, { name }: { name: string }): Names {
  const kept: Names = { ...fields, 'content-security-policy': "sandbox; default-src 'none'" }
  for (const field of keptBack) delete kept[field]
  const { location } = kept
  if (typeof location === 'string' && location.startsWith('/')) kept.location = `/upstreams/${name}${location}`
  return kept
}

function answerFailure(reply: FastifyReply, error: Error & { statusCode?: number }): void {
  const status = error.statusCode === 504 ? 504 : 502
  const code = (error.cause as NodeJS.ErrnoException | undefined)?.code
  sendProblem(reply, status, 'The upstream gave no answer.', { code: code ?? 'unknown' })
}

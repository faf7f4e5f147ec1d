// Notices of a secret scanner that it has found keys of ours, in the form that GitHub sends them to partners: a JSON list of
// `{ token, url }`, signed over its bytes (ECDSA P-256, SHA-256). Those keys are revoked at once.
// The danger it guards against: notices by anybody. The signature is looked at before a byte of the notice is understood, and then
// only who has told the whole key ends it.
import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Gateway } from './gateway.ts'
import { closeLeak } from './keyLeak.ts'
import { sendConfirmed } from './keyPages.ts'
import { callOf } from './operators.ts'
import { sendProblem } from './problem.ts'

interface Options {
  readonly gateway: Gateway
}

export async function keyNotices(app: FastifyInstance, { gateway }: Options): Promise<void> {
  // What is signed are the bytes.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  // The signature is what lets it in: who sends them knows no field of ours, nor this listener by any other name than its public one.
  app.post('/keys/notices', { config: { role: 'anyone', isSigned: true } }, async (request, reply) => {
    const file = gateway.keys.policy().noticeKeysFile
    if (file === undefined)
      return sendProblem(reply, 404, 'Nobody is to send notices.', { remedy: 'Set keys.notices in routes.yaml.' })
    const keys = await publicKeysOf(file).catch(() => undefined)
    if (!keys) return sendProblem(reply, 503, 'The keys of the sender cannot be read here.')
    const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
    if (!isSigned(body, request.headers['github-public-key-signature'], keys)) return refuse(request, reply, gateway)
    return revokeAll(body.toString(), reply, gateway)
  })
}

async function revokeAll(text: string, reply: FastifyReply, gateway: Gateway): Promise<FastifyReply> {
  const leak = await closeLeak(text, { by: 'secret scanner', reason: `found at ${placesOf(text)}` }, gateway)
  const missing = [...new Set(leak.keys.flatMap((key) => key.missing))]
  // Its owner and its use are nothing to the scanner.
  return sendConfirmed(reply, missing, { revoked: leak.keys.map(({ id }) => id), unknown: leak.unknown })
}

function refuse(request: FastifyRequest, reply: FastifyReply, { record }: Gateway): FastifyReply {
  const reason = 'a notice of leaked keys without a good signature'
  record.refused(request.ip, { kind: 'refused', by: request.ip, subject: callOf(request), reason })
  return sendProblem(reply, 401, 'The notice is not signed by whom it should be.')
}

/** @throws why there are none */
async function publicKeysOf(file: string): Promise<readonly KeyObject[]> {
  const text = await readFile(file, 'utf8')
  const pems = text.match(/-----BEGIN PUBLIC KEY-----[^-]+-----END PUBLIC KEY-----/g) ?? []
  const keys = pems.map((pem) => createPublicKey(pem))
  const ofCurve = keys.filter(({ asymmetricKeyDetails }) => asymmetricKeyDetails?.namedCurve === 'prime256v1')
  if (ofCurve.length === 0) throw new Error('there is no key of the curve P-256 in it')
  return ofCurve
}

function isSigned(body: Buffer, field: string | string[] | undefined, keys: readonly KeyObject[]): boolean {
  if (typeof field !== 'string') return false
  const signature = Buffer.from(field, 'base64')
  return keys.some((key) => verify('sha256', body, key, signature))
}

/** Where they were found, without what may be secret there too. */
function placesOf(text: string): string {
  const urls = [...text.matchAll(/"url"\s*:\s*"(https?:\/\/[^"\\]{1,500})"/g)].map(([, url = '']) => URL.parse(url))
  const places = urls.flatMap((url) => (url ? `${url.origin}${url.pathname}` : []))
  return places.slice(0, 3).join(', ') || 'a place that was not told'
}

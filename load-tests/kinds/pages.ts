// Pages for a browser: rendered on the server, compressed, behind a login, now and then on a new connection.
// The danger it guards against: a session that gets lost on its way: the login page instead of the books, and a 200 too.
import type { Client } from '../client.ts'
import { type Acquaintance, expectReply, type Kind, type PlannedRequest, pickFrom, unlessBytes } from '../requests.ts'

/** Nothing on them is written by the run. */
const targets = ['/manifests/3', '/manifests/17', '/manifests/58', '/manifests/101', '/customers']
const login = 'login=dispatch&password=freight'
/** The share of pages after which the browser closes its connection, so that the gateway meets new ones all the time. */
const closingShare = 0.3

export async function learnPages({ client, random }: Acquaintance): Promise<readonly Kind[]> {
  const cookie = await logIn(client)
  const fields = { Cookie: cookie, Accept: 'text/html', 'Accept-Encoding': 'gzip' }
  const pages = await Promise.all(
    targets.map(async (target) => {
      const reply = await client.send({ method: 'GET', target, fields })
      return { target, body: expectReply(reply, 200, `page ${target}`).body }
    }),
  )
  const next = (): PlannedRequest => {
    const { target, body } = pickFrom(pages, random)
    const ask = { method: 'GET', target, fields, isLast: random() < closingShare }
    return { kind: 'page', ask, status: 200, complaint: unlessBytes(body) }
  }
  return [{ name: 'page', weight: 6, next }]
}

/** @returns the session's cookie as it is sent back. */
async function logIn(client: Client): Promise<string> {
  const fields = { 'Content-Type': 'application/x-www-form-urlencoded' }
  const reply = await client.send({ method: 'POST', target: '/login', fields, body: Buffer.from(login) })
  const [cookie = ''] = (reply.fields['set-cookie'] ?? '').split(';')
  if (reply.ending !== 'whole' || !cookie.includes('=')) throw new Error('before the run: the login gave no session')
  return cookie
}

// A cookie of the gateway's own on the way to its client (RFC 6265 §4.1).
// The danger it guards against: a cache on the way that gives everybody the same one.
import type { Answer, Client } from '../model.ts'
import { fieldsOf } from './fields.ts'

/**
 * The answer as it is when shared caches may keep it.
 * @param cookie its name and value, maybe with attributes such as `Path=/`
 */
export function withOwnCookie(answer: Answer, cookie: string, { tls }: Pick<Client, 'tls'>): Answer {
  if (/\b(public|s-maxage)\b/i.test(answer.fields.all('cache-control').join())) return answer
  const line = `${cookie}; HttpOnly; SameSite=Lax${tls ? '; Secure' : ''}`
  return { ...answer, fields: fieldsOf([...answer.fields.raw, 'Set-Cookie', line]) }
}

// Request -> function. A pattern is a path with `:names`; a path is cut at its slashes before anything is decoded.
// The danger it guards against: `/odd/a%2Fb` taken for `/odd/a/b` (RFC 3986 §2.2: an encoded slash is no delimiter).
import { Refusal, type Visit } from './visit.ts'

export interface Endpoint {
  readonly method: string
  readonly pattern: string
  answer(visit: Visit): void | Promise<void>
}

export function endpoint(method: string, pattern: string, answer: Endpoint['answer']): Endpoint {
  return { method, pattern, answer }
}

interface Compiled {
  readonly segments: readonly string[]
  readonly endpoint: Endpoint
}

/** @throws Refusal 404 for an unknown path, 405 for an unknown method of a known one. The first fitting endpoint wins. */
export function routerOf(endpoints: readonly Endpoint[]): (visit: Visit) => void | Promise<void> {
  const compiled: Compiled[] = endpoints.map((one) => ({ segments: one.pattern.split('/'), endpoint: one }))
  return (visit) => {
    const segments = visit.path.split('/')
    // HEAD is answered like GET; Node leaves the body out (RFC 9110 §9.3.2).
    const method = visit.request.method === 'HEAD' ? 'GET' : visit.request.method
    const allowed = new Set<string>()
    for (const candidate of compiled) {
      const params = paramsOf(candidate.segments, segments)
      if (!params) continue
      if (candidate.endpoint.method === method) return candidate.endpoint.answer({ ...visit, params })
      allowed.add(candidate.endpoint.method)
    }
    if (allowed.size === 0) throw new Refusal(404, 'there is nothing here')
    if (allowed.has('GET')) allowed.add('HEAD')
    throw new Refusal(405, `${visit.request.method} is not possible here`, { Allow: [...allowed].join(', ') })
  }
}

function paramsOf(pattern: readonly string[], segments: readonly string[]): Record<string, string> | undefined {
  if (pattern.length !== segments.length) return undefined
  const params: Record<string, string> = {}
  for (const [index, wanted] of pattern.entries()) {
    const segment = segments[index] as string
    if (wanted.startsWith(':')) params[wanted.slice(1)] = decode(segment)
    else if (wanted !== segment) return undefined
  }
  return params
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    throw new Refusal(400, 'the path has a broken percent sign')
  }
}

// Reads where the store is. The danger it guards against: a password of the URL in a message, a log line or the status.

export interface RedisAddress {
  readonly kind: 'redis'
  readonly host: string
  readonly port: number
  readonly secure: boolean
  readonly username?: string
  readonly password?: string
  readonly database: number
}

export type StoreAddress = { readonly kind: 'memory' } | RedisAddress

const forms = 'memory:, redis://HOST:PORT or rediss://USER:PASSWORD@HOST:PORT/DATABASE'

/** @throws Error with a sentence that repeats nothing of the URL but its scheme */
export function readStoreUrl(text: string): StoreAddress {
  if (text === 'memory:') return { kind: 'memory' }
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url) throw new Error(`the store is no URL; it may be ${forms}`)
  if (url.protocol !== 'redis:' && url.protocol !== 'rediss:') {
    throw new Error(`a store cannot be at ${url.protocol}; it may be ${forms}`)
  }
  const database = /^\/?(\d{0,5})$/.exec(url.pathname)?.[1]
  if (url.hostname === '' || url.search !== '' || url.hash !== '' || database === undefined) {
    throw new Error(`the URL of the store has parts too many or too few; it may be ${forms}`)
  }
  return {
    kind: 'redis',
    // An IPv6 address goes without its brackets.
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: Number(url.port || 6379),
    secure: url.protocol === 'rediss:',
    ...(url.username !== '' && { username: decode(url.username) }),
    ...(url.password !== '' && { password: decode(url.password) }),
    database: Number(database),
  }
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    throw new Error('the user or password in the URL of the store is not percent-encoded')
  }
}

// Under which key an answer lies in stock, and what it is about (RFC 9111 §2): its URI, who was asked, and whatever of the request
// shapes an answer without a word of Vary.
// The danger it guards against: two requests under one key that an upstream tells apart; a client would poison the stock by one.
import { hash } from 'node:crypto'
import { namesOf } from '../message/fields.ts'
import type { CacheRules, Exchange, Fields } from '../model.ts'
import type { Audience } from './audience.ts'

export interface Place {
  readonly key: string
  /** What an unsafe method makes void (§4.4), for all audiences and both sides. */
  readonly uri: string
}

/** Applications build links and choose pages by them; a proxy in front, or an attacker, sets them. */
const shaping = namesOf([
  ...['X-Forwarded-Proto', 'X-Forwarded-Host', 'X-Forwarded-Port', 'X-Forwarded-Prefix', 'X-Forwarded-Scheme'],
  ...['X-Forwarded-Ssl', 'X-Forwarded-Server', 'X-Host', 'X-Original-Host', 'X-Original-URL', 'X-Original-URI'],
  ...['X-Rewrite-URL', 'X-URL-Scheme', 'Front-End-Https'],
])

/** Of the two sides of a move each has a stock of its own, and so has a new address behind an old name. */
export function placeOf(exchange: Exchange, audience: Audience, rules: CacheRules): Place | undefined {
  const about = aboutOf(exchange)
  if (!about) return undefined
  const { route, upstream, client, fields } = exchange
  const key = [
    route.name,
    rules.isPerIdentity ? 'perIdentity' : (rules.sessionCookie ?? ''),
    audience.partition,
    `${upstream.name} ${upstream.target.origin} ${client.tls ? 'https' : 'http'}`,
    about.authority + about.target,
    ...shapesOf(fields, client.peerTrusted),
  ].join('\n')
  return { key: shortened(key), uri: about.uri }
}

const longestKey = 512

/** A client makes his target as long as he likes, and much is remembered by key: ten thousand that are for one alone, for example. */
function shortened(key: string): string {
  return key.length > longestKey ? hash('sha256', key, 'base64url') : key
}

interface About {
  readonly authority: string
  readonly target: string
  readonly uri: string
}

/** @returns undefined for a target that is no URI of this site, such as `*` */
function aboutOf({ target, path, fields }: Pick<Exchange, 'target' | 'path' | 'fields'>): About | undefined {
  const [, absolute, rest = ''] = target.startsWith('/')
    ? ['', fields.get('host') ?? '', target]
    : (/^https?:\/\/([^/?#@]*)((?:[/?].*)?)$/i.exec(target) ?? [])
  if (absolute === undefined) return undefined
  const authority = authorityOf(absolute)
  const query = rest.indexOf('?')
  return { authority, target: rest, uri: authority + path + (query < 0 ? '' : rest.slice(query)) }
}

function authorityOf(host: string): string {
  return host.toLowerCase().replace(/:(?:80|443)?$/, '')
}

function shapesOf({ raw }: Fields, isPeerTrusted: boolean): string[] {
  const shapes: string[] = []
  for (let i = 0; i < raw.length; i += 2) {
    const [name = '', value = ''] = [raw[i], raw[i + 1]]
    if (shaping.has(name)) shapes.push(`${name.toLowerCase()}: ${value}`)
    // An untrusted peer's is replaced (message/forwarded.ts); of a trusted one's the client's address is no shape (RFC 7239 §4).
    else if (isPeerTrusted && name.toLowerCase() === 'forwarded')
      shapes.push(...(value.match(/\b(?:host|proto)=(?:"[^"]*"|[^;, ]*)/gi) ?? []))
  }
  return shapes
}

/**
 * What an answer to an unsafe method makes void (§4.4): its URI, and those that it names if they are of the same site; another
 * site's would be anybody's to throw out.
 */
export function urisMadeVoid(exchange: Exchange, answered: Fields | undefined): readonly string[] {
  const about = aboutOf(exchange)
  if (!about) return []
  const named = ['location', 'content-location'].flatMap((name) => answered?.all(name) ?? [])
  return [about.uri, ...named.flatMap((reference) => resolved(reference, about))]
}

function resolved(reference: string, { authority, target }: About): string[] {
  const url = URL.parse(reference, `http://${authority}${target}`)
  if (!url || !/^https?:$/.test(url.protocol) || authorityOf(url.host) !== authority) return []
  return [authority + url.pathname + url.search]
}

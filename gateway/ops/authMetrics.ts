// Who was known by what, who was refused for what, and what issuers' keys are worth, for Prometheus.
// The danger it guards against: an issuer whose keys have not come for an hour, noticed when its tokens are refused.
import type { AuthCounts } from '../state/authCounts.ts'
import type { Screening } from '../state/screening.ts'
import type { TokenBook } from '../state/tokens/book.ts'
import type { IssuerView } from '../state/tokens/issuers.ts'
import type { ReadMetric } from './rolloutMetrics.ts'

interface Seen {
  readonly counts: Pick<AuthCounts, 'all'>
  readonly tokens: Pick<TokenBook, 'views' | 'figures'>
  readonly screening: Pick<Screening, 'size'>
}

interface Sample {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export function authMetrics({ counts, tokens, screening }: Seen): readonly ReadMetric[] {
  const ofIssuers = (value: (view: IssuerView) => number) => () =>
    tokens.views().map((view) => ({ labels: { issuer: view.issuer }, value: value(view) }))
  const single = (value: () => number) => () => [{ labels: {}, value: value() }]
  return [
    metric(
      'banyan_auth_requests_total',
      'Requests of routes with auth: passed, or why not; mode report let them through.',
      'counter',
      () => [...counts.all()].map(({ count, ...labels }) => ({ labels, value: count })),
    ),
    metric(
      'banyan_auth_failing_addresses',
      'Addresses that have sent wrong credentials of late.',
      'gauge',
      single(() => screening.size),
    ),
    metric(
      'banyan_token_signature_checks_total',
      'Signatures of tokens that were checked, not remembered.',
      'counter',
      single(() => tokens.figures().signatures),
    ),
    metric(
      'banyan_tokens_remembered',
      'Tokens that need no check.',
      'gauge',
      single(() => tokens.figures().remembered),
    ),
    metric(
      'banyan_issuer_keys',
      'Keys of an issuer that check signatures.',
      'gauge',
      ofIssuers(({ keys }) => keys),
    ),
    metric(
      'banyan_issuer_up',
      '1 while the issuer gives its keys.',
      'gauge',
      ofIssuers(({ trouble, givenAtMs }) => Number(trouble === undefined && givenAtMs !== undefined)),
    ),
    metric(
      'banyan_issuer_trusted',
      '1 while its keys are good: given, or given not too long ago.',
      'gauge',
      ofIssuers(({ isTrusted }) => Number(isTrusted)),
    ),
  ]
}

function metric(name: string, help: string, type: string, values: () => readonly Sample[]): ReadMetric {
  return { name, get: async () => ({ name, help, type, aggregator: 'sum', values: values() }) }
}

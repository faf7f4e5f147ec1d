// Who was known by what, who was refused for what, and what issuers' keys are worth, for Prometheus.
// The danger it guards against: an issuer whose keys have not come for an hour, noticed when its tokens are refused.
import type { AuthCounts } from '../state/authCounts.ts'
import type { Screening } from '../state/screening.ts'
import type { TokenBook } from '../state/tokens/book.ts'
import type { IssuerView } from '../state/tokens/issuers.ts'
import { type ReadMetric, readMetric, single } from './readMetric.ts'

interface Seen {
  readonly counts: Pick<AuthCounts, 'all'>
  readonly tokens: Pick<TokenBook, 'views' | 'figures'>
  readonly screening: Pick<Screening, 'size'>
}

export function authMetrics({ counts, tokens, screening }: Seen): readonly ReadMetric[] {
  const ofIssuers = (value: (view: IssuerView) => number) => () =>
    tokens.views().map((view) => ({ labels: { issuer: view.issuer }, value: value(view) }))
  return [
    readMetric(
      'banyan_auth_requests_total',
      'Requests of routes with auth: passed, or why not; mode report let them through.',
      () => [...counts.all()].map(({ count, ...labels }) => ({ labels, value: count })),
    ),
    readMetric(
      'banyan_auth_failing_addresses',
      'Addresses that have sent wrong credentials of late.',
      single(() => screening.size),
    ),
    readMetric(
      'banyan_token_signature_checks_total',
      'Signatures of tokens that were checked, not remembered.',
      single(() => tokens.figures().signatures),
    ),
    readMetric(
      'banyan_tokens_remembered',
      'Tokens that need no check.',
      single(() => tokens.figures().remembered),
    ),
    readMetric(
      'banyan_issuer_keys',
      'Keys of an issuer that check signatures.',
      ofIssuers(({ keys }) => keys),
    ),
    readMetric(
      'banyan_issuer_up',
      '1 while the issuer gives its keys.',
      ofIssuers(({ trouble, givenAtMs }) => Number(trouble === undefined && givenAtMs !== undefined)),
    ),
    readMetric(
      'banyan_issuer_trusted',
      '1 while its keys are good: given, or given not too long ago.',
      ofIssuers(({ isTrusted }) => Number(isTrusted)),
    ),
  ]
}

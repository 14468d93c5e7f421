// Package evalue bets on which track an outcome came from.
//
// The proxy draws the track of every request with a known probability w before
// anything is known of its outcome. If the canary is no worse than the
// baseline, then knowing that a request failed, or was slow, says nothing that
// would make the canary more likely than w. So a gambler who starts with 1 and
// bets on "canary" whenever an outcome is bad cannot expect to win, whatever
// the service does: however bursty, seasonal or heavy-tailed its outcomes are.
// The gambler's wealth is an e-process E, and by Ville's inequality (Ville
// 1939, "Étude critique de la notion de collectif")
//
//	P(E ≥ 1/α at any moment) ≤ α,
//
// so it may be looked at after every request. A [Bet] holds the logarithms of
// what one observation multiplies the wealth by:
//
//	q/w          if it was served by the canary
//	(1-q)/(1-w)  if it was served by the baseline
//
// for some q in (0, 1), the probability that the gambler gives the canary
// having seen the outcome. Such bets are valid for the null "the canary is
// stochastically not worse" whenever q does not fall as the outcome gets
// worse (Shekhar and Ramdas 2023, "Nonparametric two-sample testing by
// betting", arXiv 2112.09162, section 3; Lindon and Malek 2022, "Anytime-valid
// inference for multinomial count data", arXiv 2011.03567, is the case of
// failures alone). Nobody knows how bad a bad canary is, so a [Mixture] spreads
// the first stake over several alternatives, with shares fixed beforehand.
//
// Since a bet depends on nothing but the track, the weight and the outcome's
// bucket, the wealth can be had from counts: no request need be shipped.
// Everything here is a pure function; all wealth is kept as a logarithm.
package evalue

/* SPDX-License-Identifier: Apache-2.0 */
/* Quantiles of the distributions that bounds of approximate results need. */
#ifndef SPK_BASE_QUANTILE_H
#define SPK_BASE_QUANTILE_H

/* 0 < p < 1. spk_quantile_t: Student's, degrees >= 1. spk_quantile_poisson: the smallest number that
 * is not exceeded with probability p or more; mean >= 0. */
double spk_quantile_normal(double p);
double spk_quantile_t(double p, double degrees);
double spk_quantile_poisson(double p, double mean);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The normal quantile by bisection of erfc; Student's by bisection of the incomplete beta function,
 * whose continued fraction is Lentz's (Numerical Recipes, 6.4); Poisson's by bisection of the
 * incomplete gamma function. Bounds are asked for once a job, so none of this is in a hurry. */
#include "base/quantile.h"

#include <math.h>

typedef double distribution(double x, double parameter);

/* invert: x in [low, high] with f(x) = p; f ascends. */
static double invert(distribution *f, double parameter, double p, double low, double high)
{
    for (int i = 0; i < 200 && high - low > 1e-12 * (1 + fabs(low)); i++) {
        const double middle = low + (high - low) / 2;
        if (f(middle, parameter) < p)
            low = middle;
        else
            high = middle;
    }
    return low + (high - low) / 2;
}

static double normal(double x, double unused)
{
    (void)unused;
    return 0.5 * erfc(-x / 1.4142135623730950488);
}

/* beta_fraction: the continued fraction of the incomplete beta function. */
static double beta_fraction(double a, double b, double x)
{
    const double tiny = 1e-300;
    double c = 1, d = 1 - (a + b) * x / (a + 1);
    d = 1 / (fabs(d) < tiny ? tiny : d);
    double h = d;
    for (int m = 1; m < 500; m++) {
        for (int odd = 0; odd < 2; odd++) {
            const double k = odd ? -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
                                 : m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
            d = 1 + k * d;
            d = 1 / (fabs(d) < tiny ? tiny : d);
            c = 1 + k / c;
            c = fabs(c) < tiny ? tiny : c;
            h *= c * d;
        }
        if (fabs(c * d - 1) < 1e-15)
            break;
    }
    return h;
}

static double incomplete_beta(double a, double b, double x)
{
    if (x <= 0 || x >= 1)
        return x <= 0 ? 0 : 1;
    const double front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x));
    return x < (a + 1) / (a + b + 2) ? front * beta_fraction(a, b, x) / a
                                     : 1 - front * beta_fraction(b, a, 1 - x) / b;
}

static double student(double x, double degrees)
{
    const double tail = 0.5 * incomplete_beta(degrees / 2, 0.5, degrees / (degrees + x * x));
    return x < 0 ? tail : 1 - tail;
}

/* poisson: the probability of at most floor(x), an incomplete gamma function: by its series or its
 * continued fraction. */
static double poisson(double x, double mean)
{
    const double a = floor(x) + 1;
    if (mean <= 0)
        return 1;
    const double front = exp(a * log(mean) - mean - lgamma(a));
    if (mean < a + 1) {
        double term = 1 / a, sum = term;
        for (double n = a + 1; term > sum * 1e-16; n++) {
            term *= mean / n;
            sum += term;
        }
        return 1 - front * sum;
    }
    double b = mean + 1 - a, c = 1e300, d = 1 / b, h = d;
    for (int i = 1; i < 100000; i++) {
        const double k = -i * (i - a);
        b += 2;
        d = k * d + b;
        d = 1 / (fabs(d) < 1e-300 ? 1e-300 : d);
        c = b + k / c;
        c = fabs(c) < 1e-300 ? 1e-300 : c;
        h *= c * d;
        if (fabs(c * d - 1) < 1e-15)
            break;
    }
    return front * h;
}

double spk_quantile_normal(double p)
{
    return p == 0.5 ? 0 : invert(normal, 0, p, -40, 40);
}

double spk_quantile_t(double p, double degrees)
{
    double far = 1;
    if (p == 0.5)
        return 0;
    while (far < 1e300 && (student(far, degrees) < p || student(-far, degrees) > p))
        far *= 2;
    return invert(student, degrees, p, -far, far);
}

double spk_quantile_poisson(double p, double mean)
{
    const double many = 1e7;
    double low = -1, high = mean + 40 * sqrt(mean) + 40;
    if (mean > many) { /* Cornish and Fisher's expansion is closer than the sums are */
        const double z = spk_quantile_normal(p);
        return floor(mean + z * sqrt(mean) + (z * z - 1) / 6 + 0.5);
    }
    if (poisson(0, mean) >= p)
        return 0;
    while (high - low > 1) {
        const double middle = floor(low + (high - low) / 2);
        if (poisson(middle, mean) >= p)
            high = middle;
        else
            low = middle;
    }
    return floor(high);
}

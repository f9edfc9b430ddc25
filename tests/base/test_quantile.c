/* SPDX-License-Identifier: Apache-2.0 */
/* Quantiles against numbers of 13 digits, made with mpmath 1.3.0 at 40 digits (erfinv; the root of
 * betainc; the first k whose gammainc(k + 1, mean) / k! is enough); they agree with the printed
 * tables of the normal, Student's and Poisson's distributions. */
#include "spark_test.h"

#include <math.h>

#include "base/quantile.h"

#define LENGTH(array) (sizeof(array) / sizeof(array)[0])

static void is_near(double have, double want, double relative)
{
    if (!(fabs(have - want) <= relative * (1 + fabs(want))))
        fail_msg("%.17g is not near %.17g", have, want);
}

static void test_normal__has_the_values_of_the_tables(void **state)
{
    static const struct {
        double p, z;
    } cases[] = { { 0.5, 0 }, { 0.75, 0.674489750196082 }, { 0.9, 1.2815515655446 },
        { 0.95, 1.64485362695147 }, { 0.975, 1.95996398454005 }, { 0.99, 2.32634787404084 },
        { 0.995, 2.5758293035489 }, { 0.999, 3.09023230616781 }, { 0.9995, 3.29052673149189 },
        { 0.99995, 3.89059188641309 }, { 0.025, -1.95996398454005 }, { 0.001, -3.09023230616781 },
        { 1e-10, -6.36134090240406 } };
    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        is_near(spk_quantile_normal(cases[i].p), cases[i].z, 1e-10);
        if (cases[i].p > 1e-3)
            is_near(spk_quantile_normal(1 - cases[i].p), -cases[i].z, 1e-10);
    }
}

static void test_t__has_the_values_of_the_tables(void **state)
{
    static const double p[] = { 0.75, 0.95, 0.975, 0.995, 0.9995 };
    static const struct {
        double degrees, t[5];
    } cases[] = { { 1, { 1, 6.313751514675, 12.70620473617, 63.65674116287, 636.6192487687 } },
        { 2, { 0.8164965809277, 2.919985580354, 4.302652729749, 9.924843200918, 31.59905457644 } },
        { 3, { 0.7648923284043, 2.353363434802, 3.182446305284, 5.840909309733, 12.92397863669 } },
        { 4, { 0.7406970841127, 2.131846786327, 2.776445105198, 4.60409487135, 8.610301581379 } },
        { 5, { 0.7266868438004, 2.015048373333, 2.570581835636, 4.032142983555, 6.868826625881 } },
        { 10, { 0.6998120613124, 1.812461122812, 2.228138851986, 3.169272672617, 4.586893858703 } },
        { 30, { 0.6827556933213, 1.697260886594, 2.042272456301, 2.749995653567, 3.645958635042 } },
        { 60, { 0.6786007206481, 1.670648864905, 2.000297822014, 2.660283028855, 3.460200469196 } },
        { 99,
            { 0.6769759855462, 1.660391156017, 1.984216951586, 2.626405457281, 3.391528833364 } } };
    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        for (size_t k = 0; k < LENGTH(p); k++) {
            is_near(spk_quantile_t(p[k], cases[i].degrees), cases[i].t[k], 1e-9);
            is_near(spk_quantile_t(1 - p[k], cases[i].degrees), -cases[i].t[k], 1e-9);
        }
        assert_true(spk_quantile_t(0.5, cases[i].degrees) == 0);
    }
}

static void test_t__agrees_with_its_closed_forms(void **state)
{
    (void)state;
    for (int i = 1; i < 1000; i++) {
        const double p = i / 1000.0, a = 2 * p - 1;
        is_near(spk_quantile_t(p, 1), tan(3.14159265358979323846 * (p - 0.5)), 1e-9);
        is_near(spk_quantile_t(p, 2), a / sqrt(2 * p * (1 - p)), 1e-9);
    }
    /* Many degrees are as good as normal. */
    for (int i = 1; i < 100; i++)
        is_near(spk_quantile_t(i / 100.0, 1e7), spk_quantile_normal(i / 100.0), 1e-6);
}

static void test_poisson__has_the_values_of_the_tables(void **state)
{
    static const double p[] = { 0.0005, 0.025, 0.05, 0.5, 0.95, 0.975, 0.9995 };
    static const struct {
        double mean, n[7];
    } cases[] = { { 0.1, { 0, 0, 0, 0, 1, 1, 2 } }, { 0.5, { 0, 0, 0, 0, 2, 2, 4 } },
        { 1, { 0, 0, 0, 1, 3, 3, 6 } }, { 2.5, { 0, 0, 0, 2, 5, 6, 9 } },
        { 10, { 2, 4, 5, 10, 15, 17, 22 } }, { 30, { 14, 20, 21, 30, 39, 41, 50 } },
        { 100, { 69, 81, 84, 100, 117, 120, 134 } },
        { 1000, { 898, 938, 948, 1000, 1052, 1062, 1106 } },
        { 12345.5, { 11982, 12128, 12163, 12345, 12529, 12564, 12713 } } };
    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++)
        for (size_t k = 0; k < LENGTH(p); k++)
            assert_true(spk_quantile_poisson(p[k], cases[i].mean) == cases[i].n[k]);
}

static void test_poisson__is_the_first_whose_sum_is_enough(void **state)
{
    (void)state;
    assert_true(spk_quantile_poisson(0.999, 0) == 0);
    assert_true(spk_quantile_poisson(0.001, 0) == 0);
    for (int m = 1; m < 60; m++) {
        for (int i = 1; i < 40; i++) {
            const double mean = m * 0.7, p = i / 40.0 + 0.0001234;
            double term = exp(-mean), sum = term;
            int n = 0;
            if (p >= 1)
                continue;
            while (sum < p) {
                n++;
                term *= mean / n;
                sum += term;
            }
            /* Where the sum is all but p, rounding decides. */
            if (fabs(sum - p) > 1e-9 && fabs(sum - term - p) > 1e-9)
                assert_true(spk_quantile_poisson(p, mean) == n);
        }
    }
}

static void test_poisson__of_large_means_is_all_but_normal(void **state)
{
    static const double p[] = { 0.025, 0.5, 0.975 };
    (void)state;
    /* Cornish and Fisher's expansion, to its second term. */
    for (double mean = 1e4; mean < 1e8; mean *= 10) {
        for (size_t k = 0; k < LENGTH(p); k++) {
            const double z = spk_quantile_normal(p[k]);
            const double want = mean + z * sqrt(mean) + (z * z - 1) / 6;
            assert_true(fabs(spk_quantile_poisson(p[k], mean) - want) <= 1.5);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_normal__has_the_values_of_the_tables),
        cmocka_unit_test(test_t__has_the_values_of_the_tables),
        cmocka_unit_test(test_t__agrees_with_its_closed_forms),
        cmocka_unit_test(test_poisson__has_the_values_of_the_tables),
        cmocka_unit_test(test_poisson__is_the_first_whose_sum_is_enough),
        cmocka_unit_test(test_poisson__of_large_means_is_all_but_normal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

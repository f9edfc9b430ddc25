#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The word count on a cluster of Apache Spark, whose tasks are a program that links libspark.

usage: spark-submit --files .build/examples/count_task count_words.py INPUT OUTPUT

Each partition of the texts goes through "count_task map"; the cluster shuffles and sorts; each partition of
that goes through "count_task reduce".
"""
import sys

from pyspark import SparkContext

REDUCERS = 4


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sc = SparkContext(appName="count_words")
    mapped = sc.textFile(sys.argv[1], 4).pipe("./count_task map", checkCode=True)
    # Streaming's contract for reducers: all lines of a key in one partition, side by side.
    lines = (mapped.map(lambda line: tuple(line.split("\t", 1)))
             .repartitionAndSortWithinPartitions(REDUCERS)
             .map("\t".join))
    lines.pipe("./count_task reduce", checkCode=True).saveAsTextFile(sys.argv[2])
    sc.stop()


if __name__ == "__main__":
    main()

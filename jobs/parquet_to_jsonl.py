#!/usr/bin/env python3
"""Turns Parquet files into JSON lines on standard output, one row a line, a batch of rows at a time:

    jobs/parquet_to_jsonl.py [--column NAME]... FILE... | chainrule pack --input - --tokenizer T --output DIR

Without --column the column `text` alone. Needs pyarrow (python3 -m pip install pyarrow): Debian 12 has no reader."""
import argparse
import json
import sys

import pyarrow.parquet


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--column", action="append", help="a column to keep (default: text)")
    parser.add_argument("file", nargs="+")
    options = parser.parse_args()
    columns = options.column or ["text"]
    for path in options.file:
        file = pyarrow.parquet.ParquetFile(path)
        missing = [name for name in columns if name not in file.schema_arrow.names]
        if missing:
            sys.exit(f"{path}: no column {missing[0]!r} among {file.schema_arrow.names}")
        for batch in file.iter_batches(batch_size=1000, columns=columns):
            for row in batch.to_pylist():
                print(json.dumps(row))


if __name__ == "__main__":
    main()

/* SPDX-License-Identifier: Apache-2.0 */
/* The table of error conditions, in the order of their names. */
#include "base/small.h"

#include "sql/conditions.h"

#include <stddef.h>
#include <string.h>

static const spk_sql_condition conditions[] = {
    { "AMBIGUOUS_LATERAL_COLUMN_ALIAS", "42702", "Lateral column alias <name> is ambiguous and has <n> matches." },
    { "AMBIGUOUS_REFERENCE", "42704", "Reference <name> is ambiguous, could be: <referenceNames>." },
    { "ARITHMETIC_OVERFLOW", "22003", "<message>.<alternative>" },
    { "ASSIGNMENT_ARITY_MISMATCH", "42802",
        "The number of columns or variables assigned or aliased: <numTarget> does not match the number of "
        "source expressions: <numExpr>." },
    { "BINARY_ARITHMETIC_OVERFLOW", "22003",
        "<value1> <symbol> <value2> caused overflow. Use <functionName> to ignore overflow "
        "problem and return NULL." },
    { "CANNOT_DECODE_URL", "22546",
        "The provided URL cannot be decoded: <url>. Please ensure that the URL is properly formatted and "
        "try again." },
    { "CANNOT_MERGE_INCOMPATIBLE_DATA_TYPE", "42825",
        "Failed to merge incompatible data types <left> and <right>. Please check the data types of the "
        "columns being merged and ensure that they are compatible." },
    { "CANNOT_PARSE_TIME", "22010",
        "The input string <input> cannot be parsed to a TIME value because it does not match to the "
        "datetime format <format>." },
    { "CANNOT_PARSE_TIMESTAMP", "22007",
        "<message>. Use <func> to tolerate invalid input string and return NULL instead." },
    { "CANNOT_RESOLVE_STAR_EXPAND", "42704",
        "Cannot resolve <targetString>.* given input columns <columns>. Please check that the specified "
        "table or struct exists and is accessible in the input columns." },
    { "CAST_INVALID_INPUT", "22018",
        "The value <expression> of the type <sourceType> cannot be cast to <targetType> because it is "
        "malformed. Correct the value as per the syntax, or change its target type. Use `try_cast` to "
        "tolerate malformed input and return NULL instead." },
    { "CAST_OVERFLOW", "22003",
        "The value <value> of the type <sourceType> cannot be cast to <targetType> due to an overflow. Use "
        "`try_cast` to tolerate overflow and return NULL instead." },
    { "CAST_OVERFLOW_IN_TABLE_INSERT", "22003",
        "Fail to assign a value of <sourceType> type to the <targetType> type column or variable <columnName> due to "
        "an overflow. Use `try_cast` on the input value to tolerate overflow and return NULL instead." },
    { "COLLECTION_SIZE_LIMIT_EXCEEDED.PARAMETER", "54000",
        "Can't create array with <numberOfElements> elements which exceeding the array size "
        "limit <maxRoundedArrayLength>, the value returned by the function <functionName> is "
        "too large: <parameter>." },
    { "COLUMN_ALREADY_EXISTS", "42711",
        "The column <columnName> already exists. Choose another name or rename the existing column." },
    { "COMPARATOR_RETURNS_NULL", "22004",
        "The comparator has returned a NULL for a comparison between <firstValue> and <secondValue>. It "
        "should return a positive integer for \"greater than\", 0 for \"equal\" and a negative integer for "
        "\"less than\"." },
    { "CONVERSION_INVALID_INPUT", "22018",
        "The value <str> (<fmt>) cannot be converted to <targetType> because it is malformed. Correct the "
        "value as per the syntax, or change its format. Use <suggestion> to tolerate malformed input and "
        "return NULL instead." },
    { "CREATE_VIEW_COLUMN_ARITY_MISMATCH.NOT_ENOUGH_DATA_COLUMNS", "21S01",
        "Cannot create view <viewName>, the reason is not enough data columns: View columns: <viewColumns>. "
        "Data columns: <dataColumns>." },
    { "CREATE_VIEW_COLUMN_ARITY_MISMATCH.TOO_MANY_DATA_COLUMNS", "21S01",
        "Cannot create view <viewName>, the reason is too many data columns: View columns: <viewColumns>. "
        "Data columns: <dataColumns>." },
    { "DATATYPE_MISMATCH.ARRAY_FUNCTION_DIFF_TYPES", "42K09",
        "Cannot resolve <sqlExpr> due to data type mismatch: Input to <functionName> should have been "
        "<dataType> followed by a value with same element type, but it's [<leftType>, <rightType>]." },
    { "DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES", "42K09",
        "Cannot resolve <sqlExpr> due to data type mismatch: the left and right operands of the binary "
        "operator have incompatible types (<left> and <right>)." },
    { "DATATYPE_MISMATCH.BINARY_OP_WRONG_TYPE", "42K09",
        "Cannot resolve <sqlExpr> due to data type mismatch: the binary operator requires the input type "
        "<inputType>, not <actualDataType>." },
    { "DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION", "42K09",
        "Cannot resolve <sqlExpr> due to data type mismatch: cannot cast <srcType> to <targetType>." },
    { "DATATYPE_MISMATCH.CAST_WITH_CONF_SUGGESTION", "42K09",
        "Cannot resolve <sqlExpr> due to data type mismatch: cannot cast <srcType> to <targetType> with "
        "ANSI mode on." },
    { "DATATYPE_MISMATCH.CAST_WITH_FUNC_SUGGESTION", "42K09",
        "Cannot resolve <sqlExpr> due to data type mismatch: cannot cast <srcType> to "
        "<targetType>. To convert values from <srcType> to <targetType>, you can use the "
        "functions <functionNames> instead." },
    { "DATATYPE_MISMATCH.DATA_DIFF_TYPES", "42K09",
        "Cannot resolve <sqlExpr> due to data type mismatch: Input to <functionName> should all be the same "
        "type, but it's <dataType>." },
    { "DATATYPE_MISMATCH.FILTER_NOT_BOOLEAN", "42K09",
        "Cannot resolve <sqlExpr> due to data type mismatch: Filter expression <filter> of type <type> is "
        "not a boolean." },
    { "DATATYPE_MISMATCH.INVALID_ARG_VALUE", "42K09",
        "Cannot resolve <sqlExpr> due to data type mismatch: The <inputName> value must to be a "
        "<requireType> literal of <validValues>, but got <inputValue>." },
    { "DATATYPE_MISMATCH.INVALID_JSON_SCHEMA", "42K09",
        "Input schema <schema> must be a struct, an array, a map or a variant." },
    { "DATATYPE_MISMATCH.INVALID_ORDERING_TYPE", "42K09",
        "Cannot resolve <sqlExpr> due to data type mismatch: The <functionName> does not support ordering "
        "on type <dataType>." },
    { "DATATYPE_MISMATCH.IN_SUBQUERY_DATA_TYPE_MISMATCH", "42K09",
        "Cannot resolve <sqlExpr> due to data type mismatch: The data type of one or more elements in the left "
        "hand side of an IN subquery is not compatible with the data type of the output of the subquery. "
        "Mismatched columns: [(<leftType>, <rightType>)]." },
    { "DATATYPE_MISMATCH.IN_SUBQUERY_LENGTH_MISMATCH", "42K09",
        "Cannot resolve <sqlExpr> due to data type mismatch: The number of columns in the left hand side of an "
        "IN subquery does not match the number of columns in the output of subquery. Left hand side columns "
        "(length: <leftLength>), right hand side columns (length: <rightLength>)." },
    { "DATATYPE_MISMATCH.MAP_ZIP_WITH_DIFF_TYPES", "42K09",
        "Cannot resolve <sqlExpr> due to data type mismatch: Input to the <functionName> should have been two maps "
        "with compatible key types, but it's [<leftType>, <rightType>]." },
    { "DATATYPE_MISMATCH.NON_FOLDABLE_INPUT", "42K09",
        "Cannot resolve <sqlExpr> due to data type mismatch: the input <inputName> should be a foldable "
        "<inputType> expression; however, got <inputExpr>." },
    { "DATATYPE_MISMATCH.RANGE_FRAME_MULTI_ORDER", "42K09",
        "Cannot resolve <sqlExpr> due to data type mismatch: A range window frame with value boundaries "
        "cannot be used in a window specification with multiple order by expressions." },
    { "DATATYPE_MISMATCH.RANGE_FRAME_WITHOUT_ORDER", "42K09",
        "Cannot resolve <sqlExpr> due to data type mismatch: A range window frame cannot be used in an "
        "unordered window specification." },
    { "DATATYPE_MISMATCH.SEQUENCE_WRONG_INPUT_TYPES", "42K09",
        "Cannot resolve <sqlExpr> due to data type mismatch: <functionName> uses the wrong "
        "parameter type. The start and stop expressions must resolve to the same type." },
    { "DATATYPE_MISMATCH.SPECIFIED_WINDOW_FRAME_INVALID_BOUND", "42K09",
        "Cannot resolve <sqlExpr> due to data type mismatch: Window frame upper bound <upper> does not "
        "follow the lower bound <lower>." },
    { "DATATYPE_MISMATCH.SPECIFIED_WINDOW_FRAME_UNACCEPTED_TYPE", "42K09",
        "Cannot resolve <sqlExpr> due to data type mismatch: The data type of the <location> bound "
        "<exprType> does not match the expected data type <expectedType>." },
    { "DATATYPE_MISMATCH.SPECIFIED_WINDOW_FRAME_WRONG_COMPARISON", "42K09",
        "Cannot resolve <sqlExpr> due to data type mismatch: The lower bound of a window frame must be "
        "<comparison> to the upper bound." },
    { "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", "42K09",
        "Cannot resolve <sqlExpr> due to data type mismatch: The <paramIndex> parameter requires the "
        "<requiredType> type, however <inputSql> has the type <inputType>." },
    { "DATATYPE_MISMATCH.UNEXPECTED_RETURN_TYPE", "42K09",
        "Cannot resolve <sqlExpr> due to data type mismatch: The <functionName> requires return "
        "<expectedType> type, but the actual is <actualType> type." },
    { "DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE", "42K09",
        "Cannot resolve <sqlExpr> due to data type mismatch: The <exprName> must be between <valueRange> "
        "(current value = <currentValue>)." },
    { "DATA_SOURCE_NOT_FOUND", "42K02",
        "Failed to find the data source: <provider>. Make sure the provider name is correct and the package "
        "is properly registered and compatible with your Spark version. libspark reads and writes csv, "
        "json and text." },
    { "DATETIME_FIELD_OUT_OF_BOUNDS.WITHOUT_SUGGESTION", "22023", "<rangeMessage>." },
    { "DATETIME_OVERFLOW", "22008",
        "Datetime operation overflow: <operation>." },
    { "DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION", "22003",
        "Decimal precision <precision> exceeds max precision <maxPrecision>." },
    { "DISTINCT_WINDOW_FUNCTION_UNSUPPORTED", "0A000",
        "Distinct window functions are not supported: <windowExpr>." },
    { "DIVIDE_BY_ZERO", "22012",
        "Division by zero. Use `try_divide` to tolerate divisor being 0 and return NULL instead." },
    { "DUPLICATED_CTE_NAMES", "42602", "CTE definition can't have duplicate names: <duplicateNames>." },
    { "DUPLICATED_MAP_KEY", "23505", "Duplicate map key <key> was found, please check the input data." },
    { "EXCEPT_OVERLAPPING_COLUMNS", "42702",
        "Columns in an EXCEPT list must be distinct and non-overlapping, but got (<columns>)." },
    { "FAILED_EXECUTE_UDF", "39000",
        "User defined function (<functionName>: (<signature>) => <result>) failed due to: <reason>." },
    { "FAILED_READ_FILE.NO_HINT", "KD001", "Encountered error while reading file <path>. <cause>" },
    { "FAILED_TO_PARSE_TOO_COMPLEX", "54001", "The statement is nested too deep, or too long a chain of operators." },
    { "FIELD_NOT_FOUND", "42704", "No such struct field <fieldName> in <fields>." },
    { "FORBIDDEN_OPERATION", "42809",
        "The operation <statement> is not allowed on the <objectType>: <objectName>." },
    { "GROUPING_COLUMN_MISMATCH", "42803",
        "Column of grouping (<grouping>) can't be found in grouping columns <groupingColumns>." },
    { "GROUPING_ID_COLUMN_MISMATCH", "42803",
        "Columns of grouping_id (<groupingIdColumn>) does not match grouping columns (<groupByColumns>)." },
    { "GROUP_BY_AGGREGATE", "42903", "Aggregate functions are not allowed in GROUP BY, but found <sqlExpr>." },
    { "GROUP_BY_POS_AGGREGATE", "42903",
        "GROUP BY <index> refers to an expression <aggExpr> that contains an aggregate function. Aggregate "
        "functions are not allowed in GROUP BY." },
    { "GROUP_BY_POS_OUT_OF_RANGE", "42805",
        "GROUP BY position <index> is not in select list (valid range is [1, <size>])." },
    { "ILLEGAL_DAY_OF_WEEK", "22009", "Illegal input for day of week: <string>." },
    { "INCOMPATIBLE_COLUMN_TYPE", "42825",
        "<operator> can only be performed on tables with compatible column types. The column "
        "<columnOrdinalNumber> of the second table is <dataType1> type which is not compatible with "
        "<dataType2> at the same column of the first table." },
    { "INCOMPATIBLE_DATA_FOR_TABLE.CANNOT_SAFELY_CAST", "KD000",
        "Cannot write incompatible data for the table <tableName>: Cannot safely cast <colName> <srcType> to "
        "<targetType>." },
    { "INCONSISTENT_BEHAVIOR_CROSS_VERSION.DATETIME_PATTERN_RECOGNITION", "42K0B",
        "You may get a different result due to the upgrading to Spark >= 3.0: Fail to recognize <pattern> "
        "pattern in the DateTimeFormatter." },
    { "INCONSISTENT_BEHAVIOR_CROSS_VERSION.DATETIME_WEEK_BASED_PATTERN", "42K0B",
        "You may get a different result due to the upgrading to Spark >= 3.0: All week-based patterns are "
        "unsupported since Spark 3.0, detected week-based character: <c>." },
    { "INSERT_COLUMN_ARITY_MISMATCH.NOT_ENOUGH_DATA_COLUMNS", "21S01",
        "Cannot write to <tableName>, the reason is not enough data columns: Table columns: <tableColumns>. "
        "Data columns: <dataColumns>." },
    { "INSERT_COLUMN_ARITY_MISMATCH.TOO_MANY_DATA_COLUMNS", "21S01",
        "Cannot write to <tableName>, the reason is too many data columns: Table columns: <tableColumns>. "
        "Data columns: <dataColumns>." },
    { "INTERVAL_ARITHMETIC_OVERFLOW.WITHOUT_SUGGESTION", "22015",
        "Integer overflow while operating with intervals. Try devising appropriate values for the interval "
        "parameters." },
    { "INTERVAL_ARITHMETIC_OVERFLOW.WITH_SUGGESTION", "22015",
        "Integer overflow while operating with intervals. Use <functionName> to tolerate overflow and "
        "return NULL instead." },
    { "INTERVAL_DIVIDED_BY_ZERO", "22012",
        "Division by zero. Use `try_divide` to tolerate divisor being 0 and return NULL instead." },
    { "INVALID_AGGREGATE_FILTER.NOT_BOOLEAN", "42903",
        "The FILTER expression <filterExpr> in an aggregate function is invalid. Expected a FILTER "
        "expression of the BOOLEAN type." },
    { "INVALID_ARRAY_INDEX", "22003",
        "The index <indexValue> is out of bounds. The array has <arraySize> elements. Use the SQL function "
        "`get()` to tolerate accessing element at invalid index and return NULL instead." },
    { "INVALID_ARRAY_INDEX_IN_ELEMENT_AT", "22003",
        "The index <indexValue> is out of bounds. The array has <arraySize> elements. Use `try_element_at` "
        "to tolerate accessing element at invalid index and return NULL instead." },
    { "INVALID_CONF_VALUE.REQUIREMENT", "22022",
        "The value '<confValue>' in the config \"<confName>\" is invalid. The value of <confName> must be positive" },
    { "INVALID_CONF_VALUE.SIZE", "22022",
        "The value '<confValue>' in the config \"<confName>\" is invalid. It must be a number of bytes." },
    { "INVALID_CONF_VALUE.TIME_ZONE", "22022",
        "The value '<confValue>' in the config \"<confName>\" is invalid. Cannot resolve the given timezone." },
    { "INVALID_DATETIME_PATTERN.ILLEGAL_CHARACTER", "22007",
        "Unrecognized datetime pattern: <pattern>. Illegal pattern character found in datetime pattern: "
        "<c>. Please provide legal character." },
    { "INVALID_DATETIME_PATTERN.LENGTH", "22007",
        "Unrecognized datetime pattern: <pattern>. Too many letters in datetime pattern: <pattern>. Please "
        "reduce pattern length." },
    { "INVALID_DATETIME_PATTERN.WITH_SUGGESTION", "22007",
        "Unrecognized datetime pattern: <pattern>. You can form a valid datetime pattern with the guide "
        "from '<docroot>/sql-ref-datetime-pattern.html'." },
    { "INVALID_DEFAULT_VALUE.DATA_TYPE", "42623",
        "Failed to execute <statement> command because the destination column or variable <colName> has a DEFAULT "
        "value <defaultValue>, which requires <expectedType> type, but the statement provided a value of incompatible "
        "<actualType> type." },
    { "INVALID_DEFAULT_VALUE.NOT_CONSTANT", "42623",
        "Failed to execute <statement> command because the destination column or variable <colName> has a DEFAULT "
        "value <defaultValue>, which is not a constant expression whose equivalent value is known at query planning time." },
    { "INVALID_EXTRACT_BASE_FIELD_TYPE", "42000",
        "Can't extract a value from <base>. Need a complex type [STRUCT, ARRAY, MAP] but got <other>." },
    { "INVALID_EXTRACT_FIELD", "42601", "Cannot extract <field> from <expr>." },
    { "INVALID_FORMAT.CONT_THOUSANDS_SEPS", "42601",
        "The format is invalid: <format>. Thousands separators (, or G) must have digits in between them in "
        "the number format." },
    { "INVALID_FORMAT.CUR_MUST_BEFORE_DEC", "42601",
        "The format is invalid: <format>. Currency characters must appear before any decimal point in the "
        "number format." },
    { "INVALID_FORMAT.CUR_MUST_BEFORE_DIGIT", "42601",
        "The format is invalid: <format>. Currency characters must appear before digits in the number "
        "format." },
    { "INVALID_FORMAT.EMPTY", "42601",
        "The format is invalid: <format>. The number format string cannot be empty." },
    { "INVALID_FORMAT.ESC_AT_THE_END", "42601",
        "The format is invalid: <format>. The escape character is not allowed to end with." },
    { "INVALID_FORMAT.ESC_IN_THE_MIDDLE", "42601",
        "The format is invalid: <format>. The escape character is not allowed to precede <char>." },
    { "INVALID_FORMAT.MISMATCH_INPUT", "42601",
        "The format is invalid: <format>. The input <inputType> <input> does not match the format." },
    { "INVALID_FORMAT.THOUSANDS_SEPS_MUST_BEFORE_DEC", "42601",
        "The format is invalid: <format>. Thousands separators (, or G) may not appear after the decimal "
        "point in the number format." },
    { "INVALID_FORMAT.UNEXPECTED_TOKEN", "42601",
        "The format is invalid: <format>. Found the unexpected <token> in the format string; the structure "
        "of the format string must match: `[MI|S]` `[$]` `[0|9|G|,]*` `[.|D]` `[0|9]*` `[$]` `[PR|MI|S]`." },
    { "INVALID_FORMAT.WRONG_NUM_DIGIT", "42601",
        "The format is invalid: <format>. The format string requires at least one number digit." },
    { "INVALID_FORMAT.WRONG_NUM_TOKEN", "42601",
        "The format is invalid: <format>. At most one <token> is allowed in the number format." },
    { "INVALID_INDEX_OF_ZERO", "22003",
        "The index 0 is invalid. An index shall be either < 0 or > 0 (the first element has index 1)." },
    { "INVALID_INLINE_TABLE.CANNOT_EVALUATE_EXPRESSION_IN_INLINE_TABLE", "42000",
        "Invalid inline table. Cannot evaluate the expression <expr> in inline table definition." },
    { "INVALID_INLINE_TABLE.FAILED_SQL_EXPRESSION_EVALUATION", "42000",
        "Invalid inline table. Failed to evaluate the SQL expression <sqlExpr>. Please check your syntax "
        "and ensure all required tables and columns are available." },
    { "INVALID_INLINE_TABLE.INCOMPATIBLE_TYPES_IN_INLINE_TABLE", "42000",
        "Invalid inline table. Found incompatible types in the column <colName> for inline table." },
    { "INVALID_INLINE_TABLE.NUM_COLUMNS_MISMATCH", "42000",
        "Invalid inline table. Inline table expected <expectedNumCols> columns but found <actualNumCols> "
        "columns in row <rowIndex>." },
    { "INVALID_INTERVAL_FORMAT.TIMEZONE_INTERVAL_OUT_OF_RANGE", "22006",
        "Error parsing '<input>' to interval. Please ensure that the value provided is in a valid format "
        "for defining an interval. The interval value must be in the range of [-18, +18] hours with second "
        "precision." },
    { "INVALID_INTERVAL_FORMAT.UNMATCHED_FORMAT_STRING", "22006",
        "Error parsing '<input>' to interval. Please ensure that the value provided is in a valid format "
        "for defining an interval." },
    { "INVALID_INTERVAL_FORMAT.UNMATCHED_FORMAT_STRING_WITH_NOTICE", "22006",
        "Error parsing '<input>' to interval. Please ensure that the value provided is in a valid format "
        "for defining an interval." },
    { "INVALID_LAMBDA_FUNCTION_CALL.DUPLICATE_ARG_NAMES", "42K0D",
        "Invalid lambda function call. The lambda function has duplicate arguments <args>. Please, consider to "
        "rename the argument names or set <caseSensitiveConfig> to \"true\"." },
    { "INVALID_LAMBDA_FUNCTION_CALL.NON_HIGHER_ORDER_FUNCTION", "42K0D",
        "Invalid lambda function call. A lambda function should only be used in a higher order function. "
        "However, its class is <class>, which is not a higher order function." },
    { "INVALID_LAMBDA_FUNCTION_CALL.NUM_ARGS_MISMATCH", "42K0D",
        "Invalid lambda function call. A higher order function expects <expectedNumArgs> arguments, but got "
        "<actualNumArgs>." },
    { "INVALID_LIMIT_LIKE_EXPRESSION.DATA_TYPE", "42K0E",
        "The limit like expression <expr> is invalid. The <name> expression must be integer type, but got "
        "<dataType>." },
    { "INVALID_LIMIT_LIKE_EXPRESSION.IS_NEGATIVE", "42K0E",
        "The limit like expression <expr> is invalid. The <name> expression must be equal to or greater "
        "than 0, but got <v>." },
    { "INVALID_LIMIT_LIKE_EXPRESSION.IS_NULL", "42K0E",
        "The limit like expression <expr> is invalid. The evaluated <name> expression must not be null." },
    { "INVALID_LIMIT_LIKE_EXPRESSION.IS_UNFOLDABLE", "42K0E",
        "The limit like expression <expr> is invalid. The <name> expression must evaluate to a constant "
        "value." },
    { "INVALID_MAP_FROM_ARRAYS_LENGTH", "22023",
        "The key array and value array of a map must have the same length." },
    { "INVALID_NUMERIC_LITERAL_RANGE", "22003",
        "Numeric literal <rawStrippedQualifier> is outside the valid range for <typeName> with minimum "
        "value of <minValue> and maximum value of <maxValue>." },
    { "INVALID_OPTIONS.NON_MAP_FUNCTION", "42K06", "Invalid options: Must use the `map()` function for options." },
    { "INVALID_OPTIONS.NON_STRING_TYPE", "42K06",
        "Invalid options: A type of keys and values in `map()` must be string, but got <mapType>." },
    { "INVALID_OPTION_VALUE", "42K06", "The option <option> cannot be <value>." },
    { "INVALID_OPTION_VALUE.TEXT", "42K06", "<message>." },
    { "INVALID_PARAMETER_VALUE.BINARY_FORMAT", "22023",
        "The value of parameter(s) `format` in `to_char` is invalid: expects one of binary formats "
        "'base64', 'hex', 'utf-8', but got <invalidFormat>." },
    { "INVALID_PARAMETER_VALUE.BIT_POSITION_RANGE", "22023",
        "The value of parameter(s) <parameter> in <functionName> is invalid: expects an integer value in "
        "[0, <upper>), but got <invalidValue>." },
    { "INVALID_PARAMETER_VALUE.CHARSET", "22023",
        "The value of parameter(s) <parameter> in <functionName> is invalid: expects one of the <charsets>, "
        "but got <charset>." },
    { "INVALID_PARAMETER_VALUE.DATETIME_UNIT", "22023",
        "The value of parameter(s) <parameter> in <functionName> is invalid: expects one of the units without "
        "quotes YEAR, QUARTER, MONTH, WEEK, DAY, DAYOFYEAR, HOUR, MINUTE, SECOND, MILLISECOND, MICROSECOND, "
        "but got the string literal <invalidValue>." },
    { "INVALID_PARAMETER_VALUE.LENGTH", "22023",
        "The value of parameter(s) <parameter> in <functionName> is invalid: Expects `length` greater than "
        "or equal to 0, but got <length>." },
    { "INVALID_PARAMETER_VALUE.PATTERN", "22023",
        "The value of parameter(s) <parameter> in <functionName> is invalid: <value>." },
    { "INVALID_PARAMETER_VALUE.REGEX_GROUP_INDEX", "22023",
        "The value of parameter(s) <parameter> in <functionName> is invalid: Expects group index between 0 "
        "and <groupCount>, but got <groupIndex>." },
    { "INVALID_PARAMETER_VALUE.START", "22023",
        "The value of parameter(s) <parameter> in <functionName> is invalid: expects a positive "
        "or a negative value, but got 0." },
    { "INVALID_PARAMETER_VALUE.STEP", "22023",
        "The value of parameter(s) `step` in <functionName> is invalid: expects a number other than 0." },
    { "INVALID_PARAMETER_VALUE.TIME_UNIT", "22023",
        "The value of parameter(s) <parameter> in <functionName> is invalid: expects one of the units 'HOUR', "
        "'MINUTE', 'SECOND', 'MILLISECOND', 'MICROSECOND', but got <invalidValue>." },
    { "INVALID_RECURSIVE_CTE", "42836",
        "Invalid recursive definition found. Recursive queries must contain an UNION or an UNION ALL "
        "statement with 2 children." },
    { "INVALID_RECURSIVE_REFERENCE.PLACE", "42836",
        "Invalid recursive reference found inside WITH RECURSIVE clause." },
    { "INVALID_REGEXP_REPLACE", "22023",
        "Could not perform regexp_replace with the replacement \"<replacement>\"." },
    { "INVALID_SCHEMA.NON_STRING_LITERAL", "42K07",
        "The input schema <inputSchema> is not a valid schema string. The input expression must be string "
        "literal and not null." },
    { "INVALID_SCHEMA.NON_STRUCT_TYPE", "42K07",
        "The input schema <inputSchema> is not a valid schema string. The input expression should be "
        "evaluated to struct type, but got <dataType>." },
    { "INVALID_SET_SYNTAX", "42000",
        "Expected format is 'SET', 'SET key', or 'SET key=value'. If you want to include special characters in key, or "
        "include semicolon in value, please use backquotes, e.g., SET `key`=`value`." },
    { "INVALID_SQL_SYNTAX.EMPTY_IN_PREDICATE", "42000",
        "Invalid SQL syntax: IN predicate requires at least one value. Empty IN clauses like 'IN ()' are "
        "not allowed." },
    { "INVALID_SQL_SYNTAX.FUNCTION_WITH_UNSUPPORTED_SYNTAX", "42000",
        "Invalid SQL syntax: The function <prettyName> does not support <syntax>." },
    { "INVALID_SQL_SYNTAX.INVALID_WINDOW_FRAME_BOUND", "42000",
        "Invalid SQL syntax: Frame bound value must be a literal." },
    { "INVALID_SUBQUERY_EXPRESSION.SCALAR_SUBQUERY_RETURN_MORE_THAN_ONE_OUTPUT_COLUMN", "42823",
        "Invalid subquery: Scalar subquery must return only one column, but got <number>." },
    { "INVALID_TIMEZONE", "22009",
        "The timezone: <timeZone> is invalid." },
    { "INVALID_TYPED_LITERAL", "42604", "The value of the typed literal <valueType> is invalid: <value>." },
    { "INVALID_URL", "22P02",
        "The url is invalid: <url>. Use `try_parse_url` to tolerate invalid URL and return NULL instead." },
    { "INVALID_USAGE_OF_STAR_OR_REGEX", "42000", "Invalid usage of <elem> in <prettyName>." },
    { "INVALID_USAGE_OF_STAR_WITH_TABLE_IDENTIFIER_IN_COUNT", "42000",
        "count(<tableName>.*) is not allowed. Use count(*) or expand the columns manually, e.g. count(col1, col2)." },
    { "INVALID_UTF8_STRING", "22029", "Invalid UTF8 byte sequence found in string: <str>." },
    { "INVALID_WHERE_CONDITION", "42903",
        "The WHERE condition <condition> contains invalid expressions: <expressionList>. Rewrite the query to "
        "avoid window functions, aggregate functions, and generator functions in the WHERE clause." },
    { "INVALID_WINDOW_SPEC_FOR_AGGREGATION_FUNC", "42601",
        "Cannot specify ORDER BY or a window frame for <aggFunc>." },
    { "INVALID_WITHIN_GROUP_EXPRESSION.DISTINCT_UNSUPPORTED", "42K0K",
        "Invalid function <funcName> with WITHIN GROUP. The function does not support DISTINCT with WITHIN "
        "GROUP." },
    { "INVALID_WITHIN_GROUP_EXPRESSION.WITHIN_GROUP_MISSING", "42K0K",
        "Invalid function <funcName> with WITHIN GROUP. WITHIN GROUP is required for the function." },
    { "INVALID_WITHIN_GROUP_EXPRESSION.WRONG_NUM_ORDERINGS", "42K0K",
        "Invalid function <funcName> with WITHIN GROUP. The function requires <expectedNum> orderings in "
        "WITHIN GROUP but got <actualNum>." },
    { "JOIN_CONDITION_IS_NOT_BOOLEAN_TYPE", "42K0E",
        "The join condition <joinCondition> has the invalid type <conditionType>, expected \"BOOLEAN\"." },
    { "MALFORMED_CHARACTER_CODING", "22000", "Invalid value found when performing <function> with <charset>" },
    { "MALFORMED_RECORD_IN_PARSING.CANNOT_PARSE_JSON_ARRAYS_AS_STRUCTS", "22023",
        "Malformed records are detected in record parsing: <badRecord>. Parse Mode: <failFastMode>. To "
        "process malformed records as null result, try setting the option 'mode' as 'PERMISSIVE'. Parsing JSON "
        "arrays as structs is forbidden." },
    { "MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION", "22023",
        "Malformed records are detected in record parsing: <badRecord>. Parse Mode: <failFastMode>. To "
        "process malformed records as null result, try setting the option 'mode' as 'PERMISSIVE'." },
    { "MISSING_AGGREGATION", "42803",
        "The non-aggregating expression <expression> is based on columns which are not participating in the "
        "GROUP BY clause. Add the columns or the expression to the GROUP BY, aggregate the expression, or use "
        "<expressionAnyValue> if you do not care which of the values within a group is returned." },
    { "MISSING_GROUP_BY", "42803",
        "The query does not include a GROUP BY clause. Add GROUP BY or turn it into the window functions "
        "using OVER clauses." },
    { "MISSING_WINDOW_SPECIFICATION", "42P20",
        "Window specification is not defined in the WINDOW clause for <windowName>." },
    { "NESTED_AGGREGATE_FUNCTION", "42607",
        "It is not allowed to use an aggregate function in the argument of another aggregate function. "
        "Please use the inner aggregate function in a sub-query." },
    { "NON_FOLDABLE_ARGUMENT", "42K08",
        "The function <funcName> requires the parameter <paramName> to be a foldable expression of the type "
        "<paramType>, but the actual argument is a non-foldable." },
    { "NON_LITERAL_PIVOT_VALUES", "42K08", "Literal expressions required for pivot values, found <expression>." },
    { "NOT_A_CONSTANT_STRING", "42601",
        "The expression <expr> used for the routine or clause <name> must be a constant STRING which is NOT "
        "NULL, and a name." },
    { "NULL_MAP_KEY", "2200E", "Cannot use null as map key." },
    { "NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION", "22003",
        "<value> cannot be represented as Decimal(<precision>, <scale>)." },
    { "NUM_COLUMNS_MISMATCH", "42826",
        "<operator> can only be performed on inputs with the same number of columns, but the first input "
        "has <firstNumColumns> columns and the <invalidOrdinalNum> input has <invalidNumColumns> columns." },
    { "ORDER_BY_POS_OUT_OF_RANGE", "42805",
        "ORDER BY position <index> is not in select list (valid range is [1, <size>])." },
    { "OUT_OF_MEMORY", "53200", "Out of memory." },
    { "PARSE_EMPTY_STATEMENT", "42617", "Syntax error, unexpected empty statement." },
    { "PARSE_MODE_UNSUPPORTED", "42601",
        "The function <funcName> doesn't support the <mode> mode. Acceptable modes are PERMISSIVE and FAILFAST." },
    { "PARSE_SYNTAX_ERROR", "42601", "Syntax error at or near <error><hint>." },
    { "PATH_NOT_FOUND", "42K03", "Path does not exist: <path>." },
    { "PIPE_OPERATOR_AGGREGATE_EXPRESSION_CONTAINS_NO_AGGREGATE_FUNCTION", "0A000",
        "Non-grouping expression <expr> is provided as an argument to the |> AGGREGATE pipe operator but "
        "does not contain any aggregate function; please update it to include an aggregate function and "
        "then retry the query again." },
    { "PIPE_OPERATOR_CONTAINS_AGGREGATE_FUNCTION", "0A000",
        "Aggregate function <expr> is not allowed when using the pipe operator |> <clause> clause; please "
        "use the pipe operator |> AGGREGATE clause instead." },
    { "PIVOT_VALUE_DATA_TYPE_MISMATCH", "42K09",
        "Invalid pivot value '<value>': value data type <valueType> does not match pivot column data type "
        "<pivotType>." },
    { "RECURSION_LEVEL_LIMIT_EXCEEDED", "42836",
        "Recursion level limit <levelLimit> reached but query has not exhausted, try increasing it like "
        "'WITH RECURSIVE t(col) MAX RECURSION LEVEL 200'." },
    { "RECURSION_ROW_LIMIT_EXCEEDED", "42836",
        "Recursion row limit <rowLimit> reached but query has not exhausted, try setting a larger LIMIT "
        "value when querying the CTE relation." },
    { "RECURSIVE_VIEW", "42K0H", "Recursive view <viewIdent> detected (cycle: <newPath>)." },
    { "REMAINDER_BY_ZERO", "22012",
        "Remainder by zero. Use `try_mod` to tolerate divisor being 0 and return NULL instead." },
    { "ROUTINE_NOT_FOUND", "42883",
        "The routine <routineName> cannot be found. Verify the spelling and correctness of the schema and "
        "catalog. To tolerate the error on drop use DROP ... IF EXISTS." },
    { "SCALAR_SUBQUERY_TOO_MANY_ROWS", "21000", "More than one row returned by a subquery used as an expression." },
    { "SCHEMA_ALREADY_EXISTS", "42P06",
        "Cannot create schema <schemaName> because it already exists. Choose a different name, drop the "
        "existing schema, or add the IF NOT EXISTS clause to tolerate pre-existing schema." },
    { "SCHEMA_NOT_FOUND", "42704",
        "The schema <schemaName> cannot be found. Verify the spelling and correctness of the schema and "
        "catalog." },
    { "TABLE_OR_VIEW_ALREADY_EXISTS", "42P07",
        "Cannot create table or view <relationName> because it already exists. Choose a different name, "
        "drop or replace the existing object, or add the IF NOT EXISTS clause to tolerate pre-existing "
        "objects." },
    { "TABLE_OR_VIEW_NOT_FOUND", "42P01",
        "The table or view <relationName> cannot be found. Verify the spelling and correctness of the "
        "schema and catalog. Search path: <searchPath>.<proposal>" },
    { "TEMP_TABLE_OR_VIEW_ALREADY_EXISTS", "42P07",
        "Cannot create the temporary view <relationName> because it already exists. Choose a different name, "
        "drop or replace the existing view, or add the IF NOT EXISTS clause to tolerate pre-existing views." },
    { "TEMP_VIEW_NAME_TOO_MANY_NAME_PARTS", "428EK",
        "CREATE TEMPORARY VIEW or the corresponding Dataset APIs only accept single-part view names, but "
        "got: <actualName>." },
    { "TRAILING_COMMA_IN_SELECT", "42601",
        "Trailing comma detected in SELECT clause. Remove the trailing comma before the FROM clause." },
    { "UDTF_ALIAS_NUMBER_MISMATCH", "42802",
        "The number of aliases supplied in the AS clause does not match the number of columns output by the "
        "UDTF. Expected <aliasesSize> aliases, but got <aliasesNames>." },
    { "UNABLE_TO_INFER_SCHEMA", "42KD9", "Unable to infer schema for <format>. It must be specified manually." },
    { "UNBOUND_SQL_PARAMETER", "42P02",
        "Found the unbound parameter: <name>. Please, fix `args` and provide a mapping of the parameter to "
        "either a SQL literal or collection constructor functions such as `map()`, `array()`, `struct()`." },
    { "UNCLOSED_BRACKETED_COMMENT", "42601",
        "Found an unclosed bracketed comment. Please, append */ at the end of the comment." },
    { "UNEXPECTED_INPUT_TYPE", "42K09",
        "Parameter <paramIndex> of function <functionName> requires the <requiredType> type, however "
        "<inputSql> has the type <inputType>." },
    { "UNION_NOT_SUPPORTED_IN_RECURSIVE_CTE", "42836", "Please use UNION ALL instead." },
    { "UNPIVOT_VALUE_SIZE_MISMATCH", "428C4",
        "All unpivot value columns must have the same size as there are value column names." },
    { "UNRESOLVABLE_TABLE_VALUED_FUNCTION", "42883", "Could not resolve <name> to a table-valued function." },
    { "UNRESOLVED_ALL_IN_GROUP_BY", "42803",
        "Cannot infer grouping columns for GROUP BY ALL based on the select clause. Please explicitly "
        "specify the grouping columns." },
    { "UNRESOLVED_COLUMN.WITHOUT_SUGGESTION", "42703",
        "A column, variable, or function parameter with name <objectName> cannot be resolved." },
    { "UNRESOLVED_COLUMN.WITH_SUGGESTION", "42703",
        "A column, variable, or function parameter with name <objectName> cannot be resolved. Did you mean "
        "one of the following? [<proposal>]." },
    { "UNRESOLVED_ROUTINE", "42883", "Cannot resolve routine <routineName> on search path <searchPath>." },
    { "UNRESOLVED_USING_COLUMN_FOR_JOIN", "42703",
        "USING column <colName> cannot be resolved on the <side> side of the join. The <side>-side columns: "
        "[<suggestion>]." },
    { "UNSUPPORTED_COLUMN", "0A000",
        "SQL has no type for the column `<column>`: <what>." },
    { "UNSUPPORTED_DATATYPE", "0A000", "Unsupported data type <typeName>." },
    { "UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE", "0A000",
        "The <format> datasource doesn't support the column <columnName> of the type <columnType>." },
    { "UNSUPPORTED_EXPR_FOR_OPERATOR", "42K0E",
        "The query operator <operator> contains one or more unsupported expressions. Consider to rewrite it "
        "to avoid window functions, aggregate functions, and generator functions in the <operator> operator. "
        "Invalid expressions: [<invalidExprSqls>]" },
    { "UNSUPPORTED_EXPR_FOR_WINDOW", "42P20",
        "Expression <sqlExpr> not supported within a window function." },
    { "UNSUPPORTED_FEATURE", "0A000", "The feature is not supported: <what>." },
    { "UNSUPPORTED_FEATURE.SET_OPERATION_ON_MAP_TYPE", "0A000",
        "The feature is not supported: Cannot have MAP type columns in a set operation (INTERSECT, EXCEPT, etc.), but "
        "the type of column <colName> is <dataType>." },
    { "UNSUPPORTED_FEATURE.SET_PIPE_OPERATOR_WITH_DOT", "0A000",
        "The feature is not supported: SQL pipe SET operator with a dot in the name of a column." },
    { "UNSUPPORTED_GENERATOR.NESTED_IN_EXPRESSIONS", "42K0E",
        "The generator is not supported: nested in expressions <expression>." },
    { "UNSUPPORTED_GENERATOR.NOT_GENERATOR", "42K0E",
        "The generator is not supported: <functionName> is expected to be a generator. However, its class is "
        "<classCanonicalName>, which is not a generator." },
    { "UNSUPPORTED_GROUPING_EXPRESSION", "42K0E",
        "grouping()/grouping_id() can only be used with GroupingSets/Cube/Rollup." },
    { "UNSUPPORTED_PARAMETER_TYPE", "42K09", "A parameter of this type cannot be bound: <name>." },
    { "UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.AGGREGATE_FUNCTION_MIXED_OUTER_LOCAL_REFERENCES", "0A000",
        "Unsupported subquery expression: Found an aggregate function in a correlated predicate that has "
        "both outer and local references, which is not supported: <function>." },
    { "UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.CORRELATED_REFERENCE", "0A000",
        "Unsupported subquery expression: Expressions referencing the outer query are not supported outside "
        "of WHERE/HAVING clauses: <sqlExprs>." },
    { "UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.HIGHER_ORDER_FUNCTION", "0A000",
        "Unsupported subquery expression: Subquery expressions are not supported within higher-order "
        "functions. Please remove all subquery expressions from higher-order functions and then try the "
        "query again." },
    { "UNSUPPORTED_TYPED_LITERAL", "0A000",
        "Literals of the type <unsupportedType> are not supported. Supported types are <supportedTypes>." },
    { "USER_RAISED_EXCEPTION", "P0001", "<errorMessage>" },
    { "WINDOW_FUNCTION_FRAME_NOT_ORDERED", "42601",
        "Window function <wf_name> requires the window to be ordered. You need to add an ORDER BY clause. "
        "For example: SELECT <wf_name>(value_expr) OVER (PARTITION BY window_partition ORDER BY "
        "window_ordering) FROM table." },
    { "WINDOW_FUNCTION_NOT_ALLOWED_IN_CLAUSE", "42601",
        "It is not allowed to use window functions inside <clauseName> clause." },
    { "WINDOW_FUNCTION_WITHOUT_OVER_CLAUSE", "42601", "Window function <funcName> requires an OVER clause." },
    { "WRONG_NUM_ARGS.WITHOUT_SUGGESTION", "42605",
        "The <functionName> requires <expectedNum> parameters but the actual number is <actualNum>." },
    { "_LEGACY_ERROR_TEMP_0024", "42601",
        "Can only have a single from-to unit in the interval literal syntax" },
    { "_LEGACY_ERROR_TEMP_0029", "42000", "Cannot mix year-month and day-time fields: <literal>" },
    { "_LEGACY_ERROR_TEMP_0064", "42601", "Expected something between '(' and ')'." },
    { "_LEGACY_ERROR_TEMP_3247", "XXKD0", "<message>" },
};

const spk_sql_condition *spk_sql_condition_of(const char *name)
{
    size_t low = 0, high = sizeof conditions / sizeof conditions[0];
    while (low < high) {
        const size_t middle = (low + high) / 2;
        const int order = strcmp(conditions[middle].name, name);
        if (order == 0)
            return &conditions[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

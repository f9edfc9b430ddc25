# SPDX-License-Identifier: Apache-2.0
# Links all objects into one and makes the archive of it: a hundred small objects have as much in
# headers and symbols as in code, and nearly every program needs nearly all of them. Needs OBJECTS (a
# list), ARCHIVE, COMPILER, AR.
get_filename_component(directory ${ARCHIVE} DIRECTORY)
set(object ${directory}/spark.o)
execute_process(COMMAND ${COMPILER} -r -nostdlib -o ${object} ${OBJECTS} RESULT_VARIABLE failed)
if(failed)
    message(FATAL_ERROR "the objects could not be linked")
endif()
file(REMOVE ${ARCHIVE})
execute_process(COMMAND ${AR} qcs ${ARCHIVE} ${object} RESULT_VARIABLE failed)
file(REMOVE ${object})
if(failed)
    message(FATAL_ERROR "${ARCHIVE} could not be made")
endif()

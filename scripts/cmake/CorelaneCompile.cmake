# Flags that every target of ours gets: corelane_compile.
add_library(corelane_compile INTERFACE)
target_compile_options(corelane_compile INTERFACE
  -Wall -Wextra -Wnon-virtual-dtor -Woverloaded-virtual -Wvla
  -Werror -fno-strict-aliasing)
# A register more, and three instructions fewer in each function; profilers can
# go by the unwind tables.
target_compile_options(corelane_compile INTERFACE
  $<IF:$<CONFIG:Release>,-fomit-frame-pointer,-fno-omit-frame-pointer>)
# Link-time optimisation generates code while linking, and wants to know too.
target_link_options(corelane_compile INTERFACE -fno-strict-aliasing)
# libdpdk's own flags name an -march; ours comes later and wins.
set(CORELANE_ARCH_FLAGS "-march=${CORELANE_MARCH}")
target_compile_options(corelane_compile INTERFACE ${CORELANE_ARCH_FLAGS})
if(CORELANE_PGO STREQUAL "train")
  target_compile_options(corelane_compile INTERFACE
    -fprofile-generate=${CMAKE_BINARY_DIR}/profile -fprofile-update=single)
  target_link_options(corelane_compile INTERFACE -fprofile-generate)
elseif(CORELANE_PGO STREQUAL "use")
  # What training did not come by is optimised as without it. GCC 12 then warns
  # of a copy without end, on a way that is never gone (dns::MakeQuery).
  target_compile_options(corelane_compile INTERFACE
    -fprofile-use=${CMAKE_BINARY_DIR}/profile -fprofile-partial-training
    -Wno-missing-profile -Wno-stringop-overflow -Wno-array-bounds
    -Wno-restrict)
endif()
if(CORELANE_SANITIZE)
  target_compile_options(corelane_compile INTERFACE
    -fsanitize=${CORELANE_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(corelane_compile INTERFACE
    -fsanitize=${CORELANE_SANITIZE})
endif()
# ThreadSanitizer does not follow fences. What the one in pmd/idle.cc orders are
# atomics, in which it sees no race either way.
if(CORELANE_SANITIZE MATCHES "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(corelane_compile INTERFACE -Wno-tsan)
endif()
if(CORELANE_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    message(FATAL_ERROR "CORELANE_FUZZ needs clang: -DCMAKE_CXX_COMPILER=clang++")
  endif()
  target_compile_options(corelane_compile INTERFACE -fsanitize=fuzzer-no-link)
endif()

# Where nothing is built yet and no ccache helps, parsing headers is most of a
# build. Off by default: a source that does not include what it uses is found
# only without, and so is a change of one source built sooner.
option(CORELANE_UNITY "Compile several sources at once" OFF)
if(NOT CORELANE_UNITY)  # which brings together names that never meet
  target_compile_options(corelane_compile INTERFACE -Wshadow)
endif()
function(corelane_unity target)
  if(CORELANE_UNITY)
    set_target_properties(${target} PROPERTIES
      UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 12)
    # What GCC says of headers it says of every source here.
    target_compile_options(${target} PRIVATE
      $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)
  endif()
endfunction()
# Sources whose own names are others' too.
function(corelane_not_in_unity)
  set_source_files_properties(${ARGN} PROPERTIES
    SKIP_UNITY_BUILD_INCLUSION ON)
endfunction()

# What is no packet path, and test code: -O3 takes minutes of building there and
# buys nothing. With sanitizers -O1 does; but inline functions of the engine that
# are compiled with -O0 anywhere may be the ones that a program is linked with.
function(corelane_cold target)
  if(CMAKE_BUILD_TYPE STREQUAL "Release")
    target_compile_options(${target} PRIVATE -O1)
  endif()
endfunction()
function(corelane_coldest target)
  corelane_cold(${target})
  if(CORELANE_SANITIZE)
    target_compile_options(${target} PRIVATE -O0)
  endif()
endfunction()

# The packet path goes through functions of many files. What carries packets for
# people is optimised as a whole when it is linked; tests link the same objects
# without, which is a lot quicker.
set(CORELANE_WHOLE_PROGRAM OFF)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_BUILD_TYPE STREQUAL "Release"
   AND NOT CORELANE_SANITIZE AND NOT CMAKE_INTERPROCEDURAL_OPTIMIZATION)
  set(CORELANE_WHOLE_PROGRAM ON)
endif()
# GCC would use what is in the objects for that unless told.
function(corelane_quick_link)
  if(CORELANE_WHOLE_PROGRAM)
    foreach(target ${ARGN})
      target_link_options(${target} PRIVATE -fno-lto)
    endforeach()
  endif()
endfunction()
# GCC's bounds for inlining are meant for programs of no particular hot path.
set(CORELANE_INLINE_FLAGS
  --param=inline-unit-growth=100 --param=large-function-growth=400
  --param=max-inline-insns-auto=60)

function(corelane_packet_library target)
  if(CORELANE_WHOLE_PROGRAM)
    target_compile_options(${target} PRIVATE -flto -ffat-lto-objects)
  endif()
  corelane_unity(${target})
endfunction()

function(corelane_packet_program target)
  if(CORELANE_WHOLE_PROGRAM)
    target_link_options(${target} PRIVATE
      -O3 ${CORELANE_ARCH_FLAGS} -fomit-frame-pointer -flto=auto
      ${CORELANE_INLINE_FLAGS})
  endif()
endfunction()

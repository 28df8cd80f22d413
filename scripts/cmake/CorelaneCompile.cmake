# Flags that every target of ours gets: corelane_compile.
add_library(corelane_compile INTERFACE)
target_compile_options(corelane_compile INTERFACE
  -Wall -Wextra -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wvla
  -Werror -fno-strict-aliasing -fno-omit-frame-pointer)
# Link-time optimisation generates code while linking, and wants to know too.
target_link_options(corelane_compile INTERFACE -fno-strict-aliasing)
# libdpdk's own flags name an -march; ours comes later and wins.
set(CORELANE_ARCH_FLAGS "-march=${CORELANE_MARCH}")
target_compile_options(corelane_compile INTERFACE ${CORELANE_ARCH_FLAGS})
if(CORELANE_SANITIZE)
  target_compile_options(corelane_compile INTERFACE
    -fsanitize=${CORELANE_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(corelane_compile INTERFACE
    -fsanitize=${CORELANE_SANITIZE})
endif()
if(CORELANE_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    message(FATAL_ERROR "CORELANE_FUZZ needs clang: -DCMAKE_CXX_COMPILER=clang++")
  endif()
  target_compile_options(corelane_compile INTERFACE -fsanitize=fuzzer-no-link)
endif()

# Where no ccache helps, parsing the libraries' headers is most of a build.
# Off by default: files that include what they use are found only without.
option(CORELANE_PCH "Precompile the headers of the libraries that are used" OFF)
function(corelane_precompile target)
  if(CORELANE_PCH)
    target_precompile_headers(${target} PRIVATE
      <algorithm> <array> <chrono> <cstdint> <functional> <memory> <optional>
      <span> <string> <vector> ${ARGN})
  endif()
endfunction()

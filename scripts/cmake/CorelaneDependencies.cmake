# Everything comes from installed packages; nothing is downloaded.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(absl REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(CLI11 REQUIRED)
pkg_check_modules(TOMLPP REQUIRED IMPORTED_TARGET tomlplusplus)
pkg_check_modules(PCAP REQUIRED IMPORTED_TARGET libpcap)
pkg_check_modules(DPDK REQUIRED IMPORTED_TARGET libdpdk>=22.11)

# DPDK's headers without its libraries: for code that handles packets but never
# calls into DPDK, so that it also runs where no EAL was started.
# The -march that libdpdk.pc names is dropped: ours is set in CorelaneCompile.
list(FILTER DPDK_CFLAGS_OTHER EXCLUDE REGEX "^-march=")
get_target_property(dpdk_flags PkgConfig::DPDK INTERFACE_COMPILE_OPTIONS)
if(dpdk_flags)
  list(FILTER dpdk_flags EXCLUDE REGEX "^-march=")
  set_target_properties(PkgConfig::DPDK PROPERTIES
    INTERFACE_COMPILE_OPTIONS "${dpdk_flags}")
endif()
add_library(corelane_dpdk_headers INTERFACE)
target_include_directories(corelane_dpdk_headers SYSTEM INTERFACE
  ${DPDK_INCLUDE_DIRS})
target_compile_options(corelane_dpdk_headers INTERFACE ${DPDK_CFLAGS_OTHER})

if(CORELANE_BUILD_TESTS)
  find_package(GTest REQUIRED)
  include(GoogleTest)
endif()
if(CORELANE_BUILD_BENCH)
  find_package(benchmark REQUIRED)
endif()

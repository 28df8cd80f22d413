# Headers, libraries, the command, a CMake package and a .pc file.
include(CMakePackageConfigHelpers)

set(corelane_libraries corelane_proto corelane_dataplane)
install(TARGETS corelane_proto corelane_dataplane corelane_dpdk_headers
  EXPORT corelane-targets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
  INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/corelane)
set_target_properties(corelane_dpdk_headers PROPERTIES EXPORT_NAME dpdk_headers)
if(TARGET corelane)
  install(TARGETS corelane RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
foreach(folder proto dataplane/packet dataplane/pipeline dataplane/flow
               dataplane/api dataplane/app)
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/${folder}/
    DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/corelane/${folder}
    FILES_MATCHING PATTERN "*.h")
endforeach()

install(EXPORT corelane-targets NAMESPACE corelane::
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/corelane)
configure_package_config_file(
  ${PROJECT_SOURCE_DIR}/scripts/cmake/corelane-config.cmake.in
  ${PROJECT_BINARY_DIR}/corelane-config.cmake
  INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/corelane)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/corelane-config-version.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES
  ${PROJECT_BINARY_DIR}/corelane-config.cmake
  ${PROJECT_BINARY_DIR}/corelane-config-version.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/corelane)

string(JOIN " -I" DPDK_INCLUDEDIR_LIST ${DPDK_INCLUDE_DIRS})
configure_file(${PROJECT_SOURCE_DIR}/scripts/cmake/corelane.pc.in
  ${PROJECT_BINARY_DIR}/corelane.pc.tmp @ONLY)
# The prefix is known only when installing (cmake --install --prefix).
install(CODE "
  file(READ \"${PROJECT_BINARY_DIR}/corelane.pc.tmp\" text)
  string(REPLACE \"%PREFIX%\" \"\${CMAKE_INSTALL_PREFIX}\" text \"\${text}\")
  file(WRITE \"${PROJECT_BINARY_DIR}/corelane.pc\" \"\${text}\")")
install(FILES ${PROJECT_BINARY_DIR}/corelane.pc
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

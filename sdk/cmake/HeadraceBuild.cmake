# How the tree is built: flags, third-party libraries, and what a folder becomes.

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
pkg_check_modules(CJSON REQUIRED IMPORTED_TARGET libcjson)
pkg_check_modules(SQLITE REQUIRED IMPORTED_TARGET sqlite3)
pkg_check_modules(ZLIB REQUIRED IMPORTED_TARGET zlib)
pkg_check_modules(PROTOBUF_C REQUIRED IMPORTED_TARGET libprotobuf-c)
pkg_check_modules(PCRE2 REQUIRED IMPORTED_TARGET libpcre2-8)
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(CRYPTO REQUIRED IMPORTED_TARGET libcrypto)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_C_FLAGS_RELEASE "-O2 -g1 -DNDEBUG")

add_compile_definitions(_GNU_SOURCE)
add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Werror
                    -ffp-contract=off -fno-math-errno -ffunction-sections -fdata-sections)
add_link_options(-Wl,--gc-sections -Wl,-z,relro -Wl,-z,now -Wl,--as-needed)
if(HEADRACE_SANITIZE)
  add_compile_options(-fsanitize=${HEADRACE_SANITIZE} -fno-omit-frame-pointer
                      -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${HEADRACE_SANITIZE})
  add_compile_definitions(HR_SANITIZED)
endif()
if(HEADRACE_COVERAGE)
  # Counters lie in files from the start, so that a process counts however it ends.
  add_compile_options(-fprofile-instr-generate -fcoverage-mapping
                      -mllvm -runtime-counter-relocation)
  add_link_options(-fprofile-instr-generate)
endif()
if(HEADRACE_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link) # all code tells libFuzzer where it has been
endif()
include_directories(${PROJECT_SOURCE_DIR}/core ${PROJECT_SOURCE_DIR}/sdk/include)

# hr_part(NAME [DIR folder] USES libraries...): the static library hr_NAME of core/NAME.  A
# folder without sources gives an interface, so that floors can be named before they exist.
function(hr_part name)
  cmake_parse_arguments(P "" "DIR" "USES" ${ARGN})
  if(NOT P_DIR)
    set(P_DIR core/${name})
  endif()
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${P_DIR}/*.c)
  if(name STREQUAL "worker")
    list(FILTER sources EXCLUDE REGEX "/main\\.c$")
  endif()
  file(GLOB protos CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${P_DIR}/proto/*.proto)
  if(protos)
    hr_protos(${name} ${P_DIR} generated ${protos})
    list(APPEND sources ${generated})
  endif()
  if(sources)
    add_library(hr_${name} STATIC ${sources})
    target_link_libraries(hr_${name} PUBLIC ${P_USES})
    if(protos)
      target_include_directories(hr_${name} PUBLIC ${PROJECT_BINARY_DIR}/${P_DIR}/proto)
    endif()
  else()
    add_library(hr_${name} INTERFACE)
    target_link_libraries(hr_${name} INTERFACE ${P_USES})
  endif()
endfunction()

# Messages of our own .proto files, as C by protoc-c; the generated code is not held to our
# warnings.
find_program(PROTOC_C protoc-c REQUIRED)
function(hr_protos name dir ret)
  set(out ${PROJECT_BINARY_DIR}/${dir}/proto)
  file(MAKE_DIRECTORY ${out})
  foreach(proto ${ARGN})
    get_filename_component(base ${proto} NAME_WE)
    add_custom_command(OUTPUT ${out}/${base}.pb-c.c ${out}/${base}.pb-c.h
      COMMAND ${PROTOC_C} --c_out=${out} -I${PROJECT_SOURCE_DIR}/${dir}/proto ${proto}
      DEPENDS ${ARGN} VERBATIM)
    list(APPEND made ${out}/${base}.pb-c.c)
    set_source_files_properties(${out}/${base}.pb-c.c PROPERTIES COMPILE_OPTIONS "-w")
  endforeach()
  set(${ret} ${made} PARENT_SCOPE)
endfunction()

# hr_plugin(NAME [SAMPLE] USES libraries...): the plugin of this folder, NAME.so, with one symbol
# and its manifest beside it.  A sample is not installed among the standard ones.
function(hr_plugin name)
  cmake_parse_arguments(P "SAMPLE" "" "USES" ${ARGN})
  set(place ${PROJECT_BINARY_DIR}/${CMAKE_INSTALL_LIBDIR}/headrace/plugins)
  if(P_SAMPLE)
    set(place ${PROJECT_BINARY_DIR}/samples)
  endif()
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.c)
  add_library(plugin_${name} MODULE ${sources})
  set_target_properties(plugin_${name} PROPERTIES PREFIX "" OUTPUT_NAME ${name}
    LIBRARY_OUTPUT_DIRECTORY ${place})
  target_link_libraries(plugin_${name} PRIVATE ${P_USES})
  target_link_options(plugin_${name} PRIVATE -Wl,--exclude-libs,ALL
    -Wl,--version-script,${PROJECT_SOURCE_DIR}/sdk/cmake/plugin.map)
  if(NOT HEADRACE_SANITIZE)
    target_link_options(plugin_${name} PRIVATE -Wl,-z,defs)
  endif()
  add_custom_command(TARGET plugin_${name} POST_BUILD
    COMMAND headrace-manifest ${place}/${name}.so ${place}/${name}.json VERBATIM)
  add_dependencies(plugin_${name} headrace-manifest)
  if(P_SAMPLE)
    return()
  endif()
  install(TARGETS plugin_${name} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/headrace/plugins)
  install(FILES ${place}/${name}.json DESTINATION ${CMAKE_INSTALL_LIBDIR}/headrace/plugins)
endfunction()

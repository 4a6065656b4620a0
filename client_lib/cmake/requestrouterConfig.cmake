include("${CMAKE_CURRENT_LIST_DIR}/requestrouterTargets.cmake")
